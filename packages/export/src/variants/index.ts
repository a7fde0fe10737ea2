/** Other interfaces of one model: bytes, channels last, one size, and the pair for tiles. */
export { type FixedSize, toFixedSize } from './fixed-size.js';
export { toNhwc } from './nhwc.js';
export { toRgba8 } from './rgba8.js';
export { statisticsGraph, tileGraph } from './tiles.js';
export {
  describeVariant,
  type VariantInterface,
  type VariantOptions,
  variantFile,
  variantOf,
} from './variant.js';
