/**
 * Python names that a state_dict's pickle may use, and what calling each gives here. Any other name is refused, so
 * that a file can make nothing but dictionaries and tensors. PyTorch's own: torch/_utils.py, torch/serialization.py.
 */
import { dtypes, storageTypes } from './element-types.js';
import { damaged, refused, SAVE_WEIGHTS, short } from './errors.js';
import { Global, type PickleValue, Storage, TensorView } from './values.js';

type Call = (args: readonly PickleValue[], where: string) => PickleValue;

const MAX_RANK = 16;

const calls: ReadonlyMap<string, Call> = new Map<string, Call>([
  ['collections.OrderedDict', orderedDict],
  ['torch.Size', ([sizes = null]) => sizes],
  ['torch._utils._rebuild_tensor', rebuildTensor],
  ['torch._utils._rebuild_tensor_v2', rebuildTensor],
  ['torch._utils._rebuild_tensor_v3', rebuildTyped],
  ['torch._utils._rebuild_parameter', rebuildParameter],
  ['torch._utils._rebuild_parameter_with_state', rebuildParameter],
]);

/** @throws CycleganError `bundle` for a name that is not on the list */
export function globalOf(module: string, name: string, where: string): Global {
  const full = `${module}.${name}`;
  if (calls.has(full) || storageTypes.has(full) || dtypes.has(full)) return new Global(full);
  throw refused(
    where,
    'tensors, numbers and dictionaries alone',
    `the Python object ${JSON.stringify(short(full))}`,
    SAVE_WEIGHTS,
  );
}

/** @throws CycleganError `bundle` for what cannot be called, or not with these arguments */
export function call(callee: PickleValue, args: PickleValue, where: string): PickleValue {
  const made = callee instanceof Global ? calls.get(callee.name) : undefined;
  if (!made || !Array.isArray(args)) throw damaged(where, 'a call of a function', 'one of something else');
  return made(args, where);
}

/** Python 2 gives the entries as a list of pairs, Python 3 adds them afterwards. */
function orderedDict([pairs = []]: readonly PickleValue[], where: string): PickleValue {
  const entries = Array.isArray(pairs) ? pairs : [null];
  return new Map(
    entries.map((pair): [PickleValue, PickleValue] => {
      const [key, value] = Array.isArray(pair) ? pair : [];
      if (key === undefined || value === undefined) throw damaged(where, 'pairs in an OrderedDict', 'others');
      return [key, value];
    }),
  );
}

/** (tensor, requires_grad, hooks, …) */
function rebuildParameter([tensor]: readonly PickleValue[], where: string): PickleValue {
  if (tensor instanceof TensorView) return tensor;
  throw damaged(where, 'a parameter of a tensor', 'one of something else');
}

/** (storage, offset, size, stride, …) */
function rebuildTensor([storage, ...place]: readonly PickleValue[], where: string): PickleValue {
  if (!(storage instanceof Storage)) throw damaged(where, 'a tensor with a storage', 'one without');
  return viewOf(storage, place, where);
}

/** (untyped storage, offset, size, stride, requires_grad, hooks, dtype, …) */
function rebuildTyped(args: readonly PickleValue[], where: string): PickleValue {
  const [untyped, dtype] = [args[0], args[6]];
  const type = dtype instanceof Global ? dtypes.get(dtype.name) : undefined;
  if (!(untyped instanceof Storage) || !type) throw damaged(where, 'a storage and its dtype', 'others');
  const storage = new Storage(untyped.key, type, Math.floor(untyped.bytes / type.bytes));
  return viewOf(storage, args.slice(1), where);
}

/** @param place offset, size and stride, which nothing has looked at yet */
function viewOf(storage: Storage, place: readonly PickleValue[], where: string): TensorView {
  const [offset = null, shape = null, strides = null] = place;
  if (!isCount(offset) || !areCounts(shape) || !areCounts(strides) || shape.length !== strides.length) {
    throw damaged(where, 'whole numbers from 0 as a tensor’s offset, sizes and strides', 'others');
  }
  const view = new TensorView(storage, offset, [...shape], [...strides]);
  const last = shape.reduce((place, size, axis) => place + (size - 1) * (strides[axis] ?? 0), offset);
  // Above 2⁵³ the sums are not exact, but far above any storage.
  if (!Number.isSafeInteger(view.elements) || (view.elements > 0 && last >= storage.length)) {
    throw damaged(
      where,
      `a tensor within its ${storage.length} elements`,
      `sizes [${shape.join(', ')}], strides [${strides.join(', ')}] from ${offset}`,
    );
  }
  return view;
}

function isCount(value: PickleValue): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function areCounts(value: PickleValue): value is number[] {
  return Array.isArray(value) && value.length <= MAX_RANK && value.every(isCount);
}
