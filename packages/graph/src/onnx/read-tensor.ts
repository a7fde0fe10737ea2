/** ONNX's TensorProto → Tensor, from the file's own bytes or from a file beside it. Trusts no size that a file claims. */
import { type TensorProto, TensorProto_DataLocation } from 'onnx-buf';
import { GraphError } from '../errors.js';
import { dtypeOfOnnx } from '../ops/logic.js';
import { type DType, type DTypeArrays, dtypeArrays, type Tensor, tensor } from '../tensor.js';

/** Gives the bytes of a file beside the model; throws where there is none. */
export type ExternalData = (location: string) => Uint8Array;

/** Where ONNX keeps a type's elements when they are not raw bytes. */
const lists: { readonly [T in DType]: (proto: TensorProto) => DTypeArrays[T] } = {
  float64: ({ doubleData }) => Float64Array.from(doubleData),
  float32: ({ floatData }) => Float32Array.from(floatData),
  float16: ({ int32Data }) => Uint16Array.from(int32Data),
  int64: ({ int64Data }) => BigInt64Array.from(int64Data),
  int32: ({ int32Data }) => Int32Array.from(int32Data),
  int8: ({ int32Data }) => Int8Array.from(int32Data),
  uint8: ({ int32Data }) => Uint8Array.from(int32Data),
  bool: ({ int32Data }) => Uint8Array.from(int32Data),
};

/**
 * @returns a tensor whose elements are a copy
 * @throws GraphError for an element type that is not known, elements that do not fill the shape, and data outside the
 *   file where `external` is not given or does not hold it
 */
export function readTensor(proto: TensorProto, external?: ExternalData): Tensor {
  const dtype = dtypeOfOnnx(proto.dataType);
  if (!dtype) throw refused(proto, `expected a known element type, got ${proto.dataType}`);
  const shape = proto.dims.map(Number);
  const outside = proto.externalData.length > 0 || proto.dataLocation === TensorProto_DataLocation.EXTERNAL;
  const data = outside ? externalElements(proto, dtype, shape, external) : elements(proto, dtype);
  try {
    return tensor(dtype, shape, data);
  } catch (error) {
    throw new GraphError(`readOnnx ${proto.name}: ${(error as Error).message}`, { cause: error });
  }
}

function elements(proto: TensorProto, dtype: DType): DTypeArrays[DType] {
  return proto.rawData.length === 0 ? lists[dtype](proto) : typed(proto, dtype, proto.rawData);
}

function typed(proto: TensorProto, dtype: DType, bytes: Uint8Array): DTypeArrays[DType] {
  if (bytes.byteLength % dtypeArrays[dtype].prototype.BYTES_PER_ELEMENT !== 0) {
    throw refused(proto, `expected whole ${dtype} elements, got ${bytes.byteLength} bytes`);
  }
  // Not slice: of a Buffer, which files are read into, that is no copy.
  return new dtypeArrays[dtype](new Uint8Array(bytes).buffer);
}

function externalElements(
  proto: TensorProto,
  dtype: DType,
  shape: readonly number[],
  external: ExternalData | undefined,
): DTypeArrays[DType] {
  const keys = new Map(proto.externalData.map(({ key, value }) => [key, value]));
  const location = keys.get('location');
  if (location === undefined) throw refused(proto, 'expected external data with a location, got none');
  if (!external) throw refused(proto, `expected its data in the file, got external data in "${location}"`);
  const whole = external(location);
  const size = shape.reduce((product, dim) => product * dim, dtypeArrays[dtype].prototype.BYTES_PER_ELEMENT);
  const offset = Number(keys.get('offset') ?? 0);
  const length = Number(keys.get('length') ?? size);
  if (!isCount(offset) || !isCount(length) || length !== size || offset + length > whole.length) {
    throw refused(
      proto,
      `expected ${size} bytes from ${offset} on in "${location}" of ${whole.length}, got a length of ${length}`,
    );
  }
  return typed(proto, dtype, whole.subarray(offset, offset + length));
}

function isCount(n: number): boolean {
  return Number.isSafeInteger(n) && n >= 0;
}

function refused({ name }: TensorProto, message: string): GraphError {
  return new GraphError(`readOnnx ${name}: ${message}.`);
}
