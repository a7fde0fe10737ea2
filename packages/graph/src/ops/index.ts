/** Every operator under its exact ONNX name. */
export * from './activation.js';
export { Abs, Add, Div, Exp, Identity, Log, Mul, Neg, Sign, Sqrt, Sub } from './arithmetic.js';
export { Loop } from './control.js';
export { Conv, ConvTranspose } from './convolution.js';
export { Gemm, MatMul } from './linear.js';
export { Cast, Greater, Where } from './logic.js';
export { BatchNormalization, InstanceNormalization } from './normalization.js';
export { Pad } from './padding.js';
export { ReduceMean, ReduceSum } from './reduction.js';
export { Resize } from './resize.js';
export { Concat, Expand, Gather, Reshape, Slice, Split, Transpose } from './shape.js';
