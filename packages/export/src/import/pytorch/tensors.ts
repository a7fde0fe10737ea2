/** The numbers of tensors: each storage read once, straight to where it stays, and views of it taken from there. */
import type { Tensor } from '@cyclegan/model';
import { type Contents, mostBytes } from './contents.js';
import { damaged } from './errors.js';
import { readFloats } from './file-bytes.js';
import type { Storage, TensorView } from './values.js';

/**
 * Reads tensors as float32, row-major.
 * @returns by the same names. Tensors of one storage share its memory where they can; all of it is the caller's.
 * @throws CycleganError `bundle` for storages that are not there, and for more numbers than such a file can mean
 */
export async function readTensors(
  { file, find }: Contents,
  views: ReadonlyMap<string, TensorView>,
): Promise<ReadonlyMap<string, Tensor>> {
  checkSize([...views.values()], mostBytes(file), file.path);
  const read = new Map<string, Float32Array>();
  const floatsOf = async (storage: Storage) => {
    // One that is untyped may be read as two kinds of elements.
    const id = `${storage.type.name} ${storage.key}`;
    const known = read.get(id);
    if (known) return known;
    const floats = await readFloats(await find(storage), storage.type, file.path);
    read.set(id, floats);
    return floats;
  };
  const tensors = new Map<string, Tensor>();
  for (const [name, view] of views) {
    tensors.set(name, { shape: view.shape, data: rowMajor(view, await floatsOf(view.storage)) });
  }
  return tensors;
}

function checkSize(views: readonly TensorView[], most: number, where: string): void {
  const storages = new Map(
    views.map(({ storage }) => [`${storage.type.name} ${storage.key}`, storage.length]),
  );
  const copies = views.filter((view) => !isRowMajor(view)).map(({ elements }) => elements);
  const bytes = [...storages.values(), ...copies].reduce((sum, count) => sum + 4 * count, 0);
  if (bytes > most) throw damaged(where, `at most ${most} bytes of weights`, `${bytes}`);
}

function isRowMajor({ shape, strides }: TensorView): boolean {
  let expected = 1;
  for (const [axis, size] of [...shape.entries()].reverse()) {
    if (size !== 1 && strides[axis] !== expected) return false;
    expected *= size;
  }
  return true;
}

/** The view's elements in its own order: a part of `floats` where they lie so already, else a copy. */
function rowMajor(view: TensorView, floats: Float32Array): Float32Array {
  const { offset, shape, strides, elements } = view;
  if (elements === 0) return new Float32Array(0);
  if (isRowMajor(view)) return floats.subarray(offset, offset + elements);
  const copy = new Float32Array(elements);
  const index = shape.map(() => 0);
  let from = offset;
  for (let to = 0; to < elements; to++) {
    copy[to] = floats[from] ?? 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const [next, size, stride] = [(index[axis] ?? 0) + 1, shape[axis] ?? 0, strides[axis] ?? 0];
      from += stride;
      index[axis] = next;
      if (next < size) break;
      index[axis] = 0;
      from -= size * stride;
    }
  }
  return copy;
}
