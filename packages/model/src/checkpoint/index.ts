export { makeFolder, replaceFile, TEMPORARY_PREFIX, writeAtomic, writing } from './atomic.js';
export * from './checkpoint.js';
export {
  readFloats,
  readSafetensors,
  type Safetensors,
  type StoredTensor,
  type Tensor,
  writeSafetensors,
} from './safetensors.js';
export type { Dtype } from './safetensors-header.js';
