/**
 * The ONNX graph as data: values, nodes in topological order, inputs, outputs. Building a node runs its shape
 * inference, so that a wrong graph fails where it is written. Knows no file format and no gradients.
 */
import { formatShape, type Shape } from './dim.js';
import { GraphError } from './errors.js';
import type { AttributeSchema, Attributes, OpDefinition } from './op-definition.js';
import { type DType, float32, int64, type Tensor } from './tensor.js';

/** An edge: what an input, a constant or a node's output is known by. Compared by identity. */
export interface Value {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
  /** Present on constants only; such a value becomes an ONNX initializer. */
  readonly constant?: Tensor;
}

export interface Node {
  readonly name: string;
  readonly op: OpDefinition;
  /** `undefined` stands for an optional input left out. */
  readonly inputs: readonly (Value | undefined)[];
  readonly outputs: readonly Value[];
  readonly attributes: Attributes;
}

export class Graph {
  readonly name: string;
  readonly inputs: Value[] = [];
  /** In the order declared. */
  readonly outputs: { readonly name: string; readonly value: Value }[] = [];
  /** In topological order. */
  nodes: Node[] = [];
  readonly #names = new Set<string>();
  readonly #counts = new Map<string, number>();
  readonly #constants = new Map<string, Value>();
  #scopes: string[] = [];

  constructor(name: string) {
    this.name = name;
  }

  /** Declares a graph input; its name is taken literally. @throws GraphError when the name is taken */
  input(name: string, dtype: DType, shape: Shape): Value {
    const value = { name: this.#claim(name), dtype, shape };
    this.inputs.push(value);
    return value;
  }

  /** Declares `value` a graph output under `name`. One value may be an output under several names. */
  output(name: string, value: Value): void {
    this.outputs.push({ name: value.name === name ? name : this.#claim(name), value });
  }

  /** A constant of the graph. Small ones that are equal become one. Without a name one is made. */
  constant(data: Tensor, name?: string): Value {
    const small = data.data.length <= 64;
    const key = `${data.dtype}[${data.shape.join()}]${small ? Array.from(data.data as ArrayLike<number | bigint>).join() : ''}`;
    const known = name === undefined && small ? this.#constants.get(key) : undefined;
    if (known) return known;
    const value: Value = {
      name: name === undefined ? this.#fresh('const') : this.#claim(name),
      dtype: data.dtype,
      shape: data.shape,
      constant: data,
    };
    if (name === undefined && small) this.#constants.set(key, value);
    return value;
  }

  /** A float32 constant, a scalar unless a shape is given. */
  float(values: number | readonly number[], shape?: readonly number[]): Value {
    return this.constant(float32(values, shape));
  }

  /** A one-dimensional int64 constant, as ops take their sizes, axes and pads. */
  ints(values: readonly number[]): Value {
    return this.constant(int64(values));
  }

  /**
   * Appends a node and returns its first output.
   * @param op the operator's definition, named exactly as in ONNX
   * @throws GraphError naming op, node and shapes when the inputs do not fit
   */
  op<A extends AttributeSchema>(
    op: OpDefinition<A>,
    inputs: readonly (Value | undefined)[],
    attributes: Attributes<A> = {},
  ): Value {
    return this.#place(op, inputs, attributes, this.nodes.length)[0] as Value;
  }

  /** Appends a node and returns all of its outputs, for Split and its like. */
  ops<A extends AttributeSchema>(
    op: OpDefinition<A>,
    inputs: readonly (Value | undefined)[],
    attributes: Attributes<A> = {},
    outputNames?: readonly string[],
  ): Value[] {
    return this.#place(
      op,
      inputs,
      attributes,
      this.nodes.length,
      outputNames?.map((name) => this.#claim(name)),
    );
  }

  /** Names of nodes and values made inside `build` begin with `scope/`: they tell a profile's reader where he is. */
  scope<T>(scope: string, build: () => T): T {
    this.#scopes.push(scope);
    try {
      return build();
    } finally {
      this.#scopes.pop();
    }
  }

  /**
   * Puts other nodes in the place of `node`: those that `build` appends, the last value of which takes over the
   * name and the readers of the node's only output. Returns what `build` returned beside it.
   */
  replace<T>(node: Node, build: () => { output: Value; result: T }): T {
    const at = this.nodes.indexOf(node);
    const old = node.outputs[0];
    if (at < 0 || old === undefined)
      throw new GraphError(`internal: ${node.name} is not in graph ${this.name}`);
    const after = this.nodes.splice(at + 1);
    this.nodes.pop();
    const { output, result } = build();
    const last = this.nodes.at(-1);
    if (last?.outputs[0] !== output)
      throw new GraphError(`internal: ${node.name}: the replacement's output is not its last`);
    this.nodes[this.nodes.length - 1] = { ...last, outputs: [old] };
    this.nodes.push(...after);
    return result;
  }

  #place(
    op: OpDefinition,
    inputs: readonly (Value | undefined)[],
    attributes: Attributes,
    at: number,
    outputNames?: string[],
  ): Value[] {
    const name = this.#fresh(op.name);
    const [least, most] = op.arity;
    if (inputs.length < least || inputs.length > most) {
      throw new GraphError(`${op.name} ${name}: expected ${least} to ${most} inputs, got ${inputs.length}.`);
    }
    const missing = inputs.findIndex((input, i) => !input && i < least && !op.skippable?.includes(i));
    if (missing >= 0) throw new GraphError(`${op.name} ${name}: expected input ${missing}, got none.`);
    const fail = (message: string): never => {
      const shapes = inputs.map((input) => (input ? `${input.dtype}${formatShape(input.shape)}` : 'none'));
      throw new GraphError(`${op.name} ${name} (${shapes.join(', ')}): ${message}`);
    };
    let inferred: readonly { dtype: DType; shape: Shape }[];
    try {
      inferred = op.infer({ inputs, attributes, fail });
    } catch (error) {
      if (error instanceof GraphError && !error.message.startsWith(op.name)) fail(error.message);
      throw error;
    }
    const outputs = inferred.map(({ dtype, shape }, i) => ({
      name: outputNames?.[i] ?? this.#fresh(i === 0 ? `${op.name}_out` : `${op.name}_out${i}`),
      dtype,
      shape,
    }));
    this.nodes.splice(at, 0, { name, op, inputs, outputs, attributes });
    return outputs;
  }

  #fresh(base: string): string {
    const scoped = [...this.#scopes, base].join('/');
    for (;;) {
      const count = (this.#counts.get(scoped) ?? 0) + 1;
      this.#counts.set(scoped, count);
      const name = `${scoped}_${count}`;
      if (!this.#names.has(name)) return this.#claim(name);
    }
  }

  #claim(name: string): string {
    if (this.#names.has(name))
      throw new GraphError(`graph ${this.name}: the name "${name}" is taken already.`);
    this.#names.add(name);
    return name;
  }
}
