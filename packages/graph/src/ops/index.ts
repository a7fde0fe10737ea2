/** Every operator under its exact ONNX name. */
export * from './activation.js';
export { Abs, Add, Div, Exp, Identity, Log, Mul, Neg, Sign, Sqrt, Sub } from './arithmetic.js';
export { Loop } from './control.js';
export { Conv, ConvTranspose } from './convolution.js';
export { Einsum } from './einsum.js';
export * from './elementwise.js';
export { Gemm, MatMul } from './linear.js';
export {
  And,
  Cast,
  Equal,
  Greater,
  GreaterOrEqual,
  Less,
  LessOrEqual,
  Not,
  Or,
  Where,
} from './logic.js';
export * from './normalization.js';
export { Pad } from './padding.js';
export { AveragePool, GlobalAveragePool, GlobalMaxPool, MaxPool } from './pool.js';
export { DequantizeLinear, QuantizeLinear } from './quantization.js';
export * from './rearrange.js';
export * from './reduction.js';
export { GridSample, Resize } from './resize.js';
export { GatherND, ScatterND } from './scatter.js';
export { Concat, Expand, Gather, Reshape, Split, Transpose } from './shape.js';
export { ConstantOfShape, Range, Shape, Size } from './sizes.js';
export { Slice } from './slice.js';
