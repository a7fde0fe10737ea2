/** The ONNX graph as typed data: operators under their exact names, gradients, reading and writing. */
export { type GradientOptions, gradients, type PartOf } from './autodiff.js';
export * from './dim.js';
export { productDim, quotientDim } from './dim-product.js';
export { knownElements } from './elements.js';
export { GraphError } from './errors.js';
export { Graph, type Node, type Value, valuesRead } from './graph.js';
export { peakBytes } from './memory.js';
export { type OnnxModel, type ReadOptions, readOnnx } from './onnx/read.js';
export { IR_VERSION, OPSET, type WriteOptions, writeOnnx } from './onnx/write.js';
export type { AttributeSchema, Attributes, Inferred, OpDefinition } from './op-definition.js';
export * from './ops/index.js';
// Both the type and the operator.
export { Shape } from './ops/index.js';
export { onnxTypes } from './ops/logic.js';
export * from './passes/index.js';
export { type Links, linksOf, type Rebuilding, rebuild, type Turn } from './rebuild.js';
export * from './tensor.js';
