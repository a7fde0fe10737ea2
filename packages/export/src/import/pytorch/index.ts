/** PyTorch's .pth files of the reference's networks. */
export { findPair } from './find-pair.js';
export {
  type ImportedDiscriminator,
  type ImportedPyTorch,
  type ImportPyTorchOptions,
  importPyTorch,
  importPyTorchDiscriminator,
} from './import-pytorch.js';
