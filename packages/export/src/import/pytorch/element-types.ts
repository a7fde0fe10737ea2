/** The numbers that PyTorch keeps, and how each kind becomes float32. Little-endian, as Node's own machines are. */
import { halfToFloat } from '../../half.js';

export interface ElementType {
  /** PyTorch's: `float16`. */
  readonly name: string;
  /** Of one element. */
  readonly bytes: 1 | 2 | 4 | 8;
  /** The elements of a buffer that holds nothing else, exactly or rounded to float32 by whoever stores them. */
  readonly numbers: (raw: ArrayBuffer) => ArrayLike<number>;
}

const float32: ElementType = { name: 'float32', bytes: 4, numbers: (raw) => new Float32Array(raw) };
const uint8: ElementType = { name: 'uint8', bytes: 1, numbers: (raw) => new Uint8Array(raw) };

const all: readonly ElementType[] = [
  float32,
  { name: 'float64', bytes: 8, numbers: (raw) => new Float64Array(raw) },
  { name: 'float16', bytes: 2, numbers: (raw) => halfToFloat(new Uint16Array(raw)) },
  { name: 'bfloat16', bytes: 2, numbers: upperHalves },
  { name: 'int64', bytes: 8, numbers: (raw) => Float64Array.from(new BigInt64Array(raw), Number) },
  { name: 'int32', bytes: 4, numbers: (raw) => new Int32Array(raw) },
  { name: 'int16', bytes: 2, numbers: (raw) => new Int16Array(raw) },
  { name: 'int8', bytes: 1, numbers: (raw) => new Int8Array(raw) },
  uint8,
  { ...uint8, name: 'bool' },
  { name: 'uint16', bytes: 2, numbers: (raw) => new Uint16Array(raw) },
  { name: 'uint32', bytes: 4, numbers: (raw) => new Uint32Array(raw) },
];

/** bfloat16 is a float32 without its lower half. */
function upperHalves(raw: ArrayBuffer): Float32Array {
  return new Float32Array(Uint32Array.from(new Uint16Array(raw), (bits) => bits << 16).buffer);
}

/** By the name of torch's dtype: `torch.float16`. */
export const dtypes: ReadonlyMap<string, ElementType> = new Map(
  all.map((type) => [`torch.${type.name}`, type]),
);

const storageNames = {
  float32: 'Float',
  float64: 'Double',
  float16: 'Half',
  bfloat16: 'BFloat16',
  int64: 'Long',
  int32: 'Int',
  int16: 'Short',
  int8: 'Char',
  uint8: 'Byte',
  bool: 'Bool',
};

/** By the name of torch's storage class: `torch.HalfStorage`. An untyped one counts bytes. */
export const storageTypes: ReadonlyMap<string, ElementType> = new Map([
  ...Object.entries(storageNames).map(([name, storage]): [string, ElementType] => [
    `torch.${storage}Storage`,
    dtypes.get(`torch.${name}`) ?? uint8,
  ]),
  ['torch.storage.UntypedStorage', uint8],
  ['torch.storage._UntypedStorage', uint8],
]);
