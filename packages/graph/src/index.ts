/** The ONNX graph as typed data: operators under their exact names, gradients, reading and writing. */
export { type GradientOptions, gradients, type PartOf } from './autodiff.js';
export * from './dim.js';
export { GraphError } from './errors.js';
export { Graph, type Node, type Value, valuesRead } from './graph.js';
export { type OnnxModel, readOnnx } from './onnx/read.js';
export { IR_VERSION, OPSET, type WriteOptions, writeOnnx } from './onnx/write.js';
export type { AttributeSchema, Attributes, OpDefinition } from './op-definition.js';
export * from './ops/index.js';
export { onnxTypes } from './ops/logic.js';
export { orderForDepthFirst } from './passes/order.js';
export { prune } from './passes/prune.js';
export { type Links, linksOf, type Rebuilding, rebuild, type Turn } from './rebuild.js';
export * from './tensor.js';
