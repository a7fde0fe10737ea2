/** Models in fewer bits, and how near and how fast they are. */

export { type Fp16Options, type Fp16Report, toFp16 } from './fp16.js';
export { type Measured, type MeasureOptions, measure } from './measure.js';
export type { Quality } from './quality.js';
export {
  type QuantizedConvolution,
  type QuantizeOptions,
  type QuantizeReport,
  quantize,
} from './quantize.js';
