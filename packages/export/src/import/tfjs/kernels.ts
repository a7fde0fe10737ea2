/**
 * TensorFlow's operators on a Graph, in TensorFlow's own terms (NHWC unless told otherwise, HWIO filters, SAME and
 * VALID), written literally: where ONNX knows NCHW alone, a Transpose stands on either side, which `toNCHW` cancels.
 * Knows no file format; both readers of tfjs models build with it.
 */
export * from './kernels/activation.js';
export * from './kernels/blocks.js';
export * from './kernels/convolution.js';
export { channelsSecond, type Layout, transpose } from './kernels/layout.js';
export * from './kernels/normalization.js';
export * from './kernels/padding.js';
export * from './kernels/pooling.js';
export * from './kernels/resizing.js';
export * from './kernels/transposed.js';
export type { Padding, Pair } from './kernels/window.js';
