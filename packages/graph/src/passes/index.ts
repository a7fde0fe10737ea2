/** The passes, one by one and all in turn. */
export { commonSubexpressions } from './common-subexpressions.js';
export { deadCode } from './dead-code.js';
export { foldAffine } from './fold-affine.js';
export { foldConstants } from './fold-constants.js';
export { foldPads } from './fold-pads.js';
export { fuseInstanceNormalization } from './instance-norm/fuse.js';
export { type InterfaceChoice, toNCHW } from './layout/interface.js';
export { cancelTransposes } from './layout/transposes.js';
export { fuseLeakyRelu } from './leaky-relu.js';
export {
  defaultPasses,
  type OperatorRow,
  type OptimizeOptions,
  type OptimizeTable,
  optimize,
  type PassRow,
} from './optimize.js';
export { orderForDepthFirst } from './order.js';
export { countNodes, type Evaluate, type Pass, type PassContext } from './pass.js';
export { prune } from './prune.js';
export { shapeParameters } from './shape-parameters.js';
export { simplify } from './simplify.js';
export { subpixelConvTranspose } from './subpixel.js';
