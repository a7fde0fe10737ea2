/**
 * What an operator is to this package: its exact ONNX name, its attributes, its shape inference and its gradient,
 * side by side. The operators themselves are in ops/, one file a family.
 */
import type { Dim, Shape } from './dim.js';
import type { Graph, Node, Value } from './graph.js';
import type { DType, Tensor } from './tensor.js';

/** The ONNX attribute types in use. */
export interface AttributeTypes {
  int: number;
  float: number;
  string: string;
  ints: readonly number[];
  tensor: Tensor;
  /** A graph that the node runs, made by {@link Graph.subgraph}. */
  graph: Graph;
}

export type AttributeSchema = Readonly<Record<string, keyof AttributeTypes>>;

/** Attribute values as the schema types them; all may be left out, as ONNX gives each a default. */
// biome-ignore format: one line shows the mapping
export type Attributes<A extends AttributeSchema = AttributeSchema> = { readonly [K in keyof A]?: AttributeTypes[A[K]] };

export interface InferContext<A extends AttributeSchema = AttributeSchema> {
  readonly inputs: readonly (Value | undefined)[];
  readonly attributes: Attributes<A>;
  /** Throws a GraphError that names op, node and input shapes. */
  fail(message: string): never;
}

/** One output, as its operator's inference sees it. */
export interface Inferred {
  readonly dtype: DType;
  readonly shape: Shape;
  /** Of small tensors computed from shapes, where they are known. */
  readonly elements?: readonly Dim[] | undefined;
}

export interface GradientContext {
  /** Where the gradient's nodes are appended. */
  readonly graph: Graph;
  readonly node: Node;
  /** Gradient of the loss by each output, in that output's shape; undefined where nothing depends on it. */
  readonly grads: readonly (Value | undefined)[];
  /** Which inputs need a gradient; rules leave out the work for the others. */
  readonly needs: readonly boolean[];
}

/** One gradient an input, in its shape; undefined where none is needed. Rules name it as their return type, since
 * operators whose gradients use each other could not be typed otherwise. */
export type InputGradients = readonly (Value | undefined)[];

export interface OpDefinition<A extends AttributeSchema = AttributeSchema> {
  /** The ONNX operator's exact name in the default domain. */
  readonly name: string;
  /** Least and most number of inputs; the most may be infinite. */
  readonly arity: readonly [number, number];
  /** Inputs below the least number that may yet be left out, such as Resize's roi. */
  readonly skippable?: readonly number[];
  readonly attributes: A;
  /** Output types and shapes. Symbolic dimensions pass through where the arithmetic allows. */
  infer(context: InferContext<A>): readonly Inferred[];
  /**
   * Gradients by each input, in its shape. Absent where none exists (Greater, Loop and their like). A rule is written
   * in operators that have rules themselves, so that a gradient can be differentiated again.
   */
  gradient?(context: GradientContext): InputGradients;
}

/** Declares an operator, keeping its attribute types. */
export function defineOp<const A extends AttributeSchema>(definition: OpDefinition<A>): OpDefinition<A> {
  return definition;
}
