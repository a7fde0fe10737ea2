/**
 * The ONNX graph as data: values, nodes in topological order, inputs, outputs. Building a node runs its shape
 * inference, so that a wrong graph fails where it is written. Knows no file format and no gradients.
 */
import { type Dim, formatShape, isValidShape, type Shape, sameShape } from './dim.js';
import { areSound, smallShape } from './elements.js';
import { GraphError } from './errors.js';
import type { AttributeSchema, Attributes, Inferred, OpDefinition } from './op-definition.js';
import { type DType, float32, int64, type Tensor, tensor } from './tensor.js';

/** An edge: what an input, a constant or a node's output is known by. Compared by identity. */
export interface Value {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
  /** Present on constants only; such a value becomes an ONNX initializer. */
  readonly constant?: Tensor;
  /**
   * What is known before the graph runs of a small tensor computed from shapes, row-major: numbers, or dimensions where
   * they depend on symbols. Absent from constants; see {@link knownElements}.
   */
  readonly elements?: readonly Dim[];
}

/** An operator applied to values. */
export interface Node {
  /** For people; not necessarily unique. */
  readonly name: string;
  readonly op: OpDefinition;
  /** `undefined` stands for an optional input left out. */
  readonly inputs: readonly (Value | undefined)[];
  readonly outputs: readonly Value[];
  readonly attributes: Attributes;
}

/** All that a node reads: its inputs, and what its subgraphs take from the graphs around them. */
export function valuesRead({ inputs, attributes }: Pick<Node, 'inputs' | 'attributes'>): Value[] {
  const captured = subgraphs(attributes).flatMap((graph) => graph.captured());
  return [...inputs.filter((input) => input !== undefined), ...captured];
}

function subgraphs(attributes: Attributes): Graph[] {
  return Object.values(attributes).filter((value) => value instanceof Graph);
}

/** `Conv Conv_3 (float32[1, 3, 8, 8], float32[4, 3, 3, 3])`: how every error about a node begins. */
export function describeNode({ op, name, inputs }: Pick<Node, 'op' | 'name' | 'inputs'>): string {
  const shapes = inputs.map((input) => (input ? `${input.dtype}${formatShape(input.shape)}` : 'none'));
  return `${op.name} ${name} (${shapes.join(', ')})`;
}

/** A graph under construction: nodes are appended, and nothing built is changed but by `replace` and passes. */
export class Graph {
  readonly name: string;
  /** In the order declared. */
  readonly inputs: Value[] = [];
  /** In the order declared. */
  readonly outputs: { readonly name: string; readonly value: Value }[] = [];
  /** In topological order. */
  nodes: Node[] = [];
  readonly #outer: Graph | undefined;
  readonly #values = new Set<Value>();
  /** Names of values. Nodes have a namespace of their own, as in ONNX; subgraphs have none, as it forbids shadowing. */
  readonly #names: Set<string>;
  readonly #counts: Map<string, number>;
  /** Names that are yet to be given. */
  readonly #avoided: Set<string>;
  /** By their elements. */
  readonly #constants = new Map<string, Value>();
  /** By their makers' keys. */
  readonly #shared = new Map<string, Value>();
  #scopes: readonly string[] = [];

  /** @param outer whose values the graph may read; see {@link Graph.subgraph} */
  constructor(name: string, outer?: Graph) {
    this.name = name;
    this.#outer = outer;
    this.#names = outer ? outer.#names : new Set();
    this.#counts = outer ? outer.#counts : new Map();
    this.#avoided = outer ? outer.#avoided : new Set();
  }

  /**
   * An empty graph for a node of this one to run, such as a Loop's body. It may read this graph's values; this one may
   * not read its values but through the node.
   */
  subgraph(name: string): Graph {
    return new Graph(name, this);
  }

  /** Keeps names for values and nodes that are yet to come: no name made up here will be one of them. */
  avoidNames(names: Iterable<string>): void {
    for (const name of names) this.#avoided.add(name);
  }

  /**
   * Declares a graph input; its name is taken literally.
   * @throws GraphError when the name is taken, or the shape none that a tensor can have
   */
  input(name: string, dtype: DType, shape: Shape): Value {
    if (!isValidShape(shape)) {
      throw new GraphError(
        `graph ${this.name}: expected input "${name}" of whole sizes, got ${formatShape(shape)}.`,
      );
    }
    const value = this.#make({ name: this.#claim(name), dtype, shape });
    this.inputs.push(value);
    return value;
  }

  /**
   * Declares `value` a graph output under `name`. One value may be an output under several names.
   * @throws GraphError when the name is taken, or the value is of another graph
   */
  output(name: string, value: Value): void {
    if (!this.has(value)) {
      throw new GraphError(
        `graph ${this.name}: expected output "${name}" of this graph, got another's value.`,
      );
    }
    if (value.name !== name) this.#claim(name);
    else if (this.outputs.some((output) => output.name === name)) throw this.#taken(name);
    this.outputs.push({ name, value });
  }

  /** Whether the graph may read the value: it is its own, or of a graph around it. */
  has(value: Value): boolean {
    return this.#values.has(value) || this.#outer?.has(value) === true;
  }

  /** The values of the graphs around this one that it reads, each once. */
  captured(): Value[] {
    const read = [...this.nodes.flatMap(valuesRead), ...this.outputs.map(({ value }) => value)];
    return [...new Set(read)].filter((value) => !this.#values.has(value));
  }

  /**
   * A constant of the graph. Small ones that are equal to the last bit become one. Without a name one is made.
   * @throws GraphError when the name is taken, or data and shape do not go together
   */
  constant(constant: Tensor, name?: string): Value {
    const { dtype, shape, data } = tensor(constant.dtype, constant.shape, constant.data);
    const shared = name === undefined && data.length <= 64;
    const bytes = shared ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : [];
    const key = `${dtype}[${shape.join()}]${bytes.join()}`;
    const known = shared ? this.#constants.get(key) : undefined;
    if (known) return known;
    const fresh = name === undefined ? this.#fresh('const') : this.#claim(name);
    const value = this.#make({ name: fresh, dtype, shape, constant });
    if (shared) this.#constants.set(key, value);
    return value;
  }

  /**
   * A constant that is made but once.
   * @param key tells what it is: the same key always stands for the same elements
   */
  sharedConstant(key: string, make: () => Tensor): Value {
    const known = this.#shared.get(key);
    if (known) return known;
    const value = this.constant(make());
    this.#shared.set(key, value);
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
    return this.#place(op, inputs, attributes)[0] as Value;
  }

  /**
   * Appends a node and returns all of its outputs, for Split and its like.
   * @param outputNames taken literally, one for each output; `nodeName` likewise. Where there is none it is made.
   * @throws GraphError as {@link op}
   */
  ops<A extends AttributeSchema>(
    op: OpDefinition<A>,
    inputs: readonly (Value | undefined)[],
    attributes: Attributes<A> = {},
    outputNames?: readonly (string | undefined)[],
    nodeName?: string,
  ): Value[] {
    return this.#place(op, inputs, attributes, outputNames, nodeName);
  }

  /** Names of nodes and values made inside `build` begin with `scope/`: readers of a profile see where they are. */
  scope<T>(scope: string, build: () => T): T {
    return this.#within([...this.#scopes, scope], build);
  }

  #within<T>(scopes: readonly string[], build: () => T): T {
    const around = this.#scopes;
    this.#scopes = scopes;
    try {
      return build();
    } finally {
      this.#scopes = around;
    }
  }

  /**
   * Puts other nodes in the place of `node`: those that `build` appends, the last of which takes over the node's only
   * output and so its readers. They may read what `node` could read, and are in its scope.
   * @param build returns the last node's output, which is gone afterwards, and what the caller wants beside it
   * @throws GraphError when the node is of another graph, or what is built does not fit its place
   */
  replace<T>(node: Node, build: () => { output: Value; result: T }): T {
    const at = this.nodes.indexOf(node);
    const [old, ...others] = node.outputs;
    if (at < 0 || !old || others.length > 0) {
      throw new GraphError(
        `${describeNode(node)}: expected a node of ${this.name} with one output to replace.`,
      );
    }
    const end = this.nodes.length;
    const { output, result } = this.#within(node.name.split('/').slice(0, -1), build);
    const built = this.nodes.splice(end);
    const last = built.pop();
    if (last?.outputs[0] !== output || output.dtype !== old.dtype || !sameShape(output.shape, old.shape)) {
      throw new GraphError(
        `${describeNode(node)}: expected a replacement that ends in ${old.dtype}${formatShape(old.shape)}, got ${output.dtype}${formatShape(output.shape)}.`,
      );
    }
    this.nodes.splice(at, 1, ...built, { ...last, outputs: [old] });
    return result;
  }

  #place(
    op: OpDefinition,
    inputs: readonly (Value | undefined)[],
    attributes: Attributes,
    outputNames?: readonly (string | undefined)[],
    nodeName?: string,
  ): Value[] {
    const name = nodeName || this.#unavoided(op.name);
    let refusal: GraphError | undefined;
    const refuse = (sentence: string): never => {
      refusal = new GraphError(`${describeNode({ op, name, inputs })}: ${sentence}`);
      throw refusal;
    };
    const fail = (message: string): never => refuse(`${message}.`);
    const [least, most] = op.arity;
    if (inputs.length < least || inputs.length > most) {
      fail(`expected ${least === most ? least : `${least} to ${most}`} inputs, got ${inputs.length}`);
    }
    // Of any number of inputs none can be left out.
    const needed = most === Number.POSITIVE_INFINITY ? inputs.length : least;
    const missing = inputs.findIndex((input, i) => !input && i < needed && !op.skippable?.includes(i));
    if (missing >= 0) fail(`expected input ${missing}, got none`);
    const foreign = inputs.findIndex((input) => input && !this.has(input));
    if (foreign >= 0) fail(`expected input ${foreign} to be of graph ${this.name}, got another's value`);
    const unknown = Object.keys(attributes).find((key) => !Object.hasOwn(op.attributes, key));
    if (unknown !== undefined) fail(`expected attributes that are known here, got "${unknown}"`);
    if (subgraphs(attributes).some((graph) => graph.#outer !== this)) {
      fail(`expected a graph made as a subgraph of ${this.name}`);
    }
    let inferred: readonly Inferred[];
    try {
      inferred = op.infer({ inputs, attributes, fail });
    } catch (error) {
      // Dimensions that do not go together know neither operator nor node.
      if (error instanceof GraphError && error !== refusal) refuse(error.message);
      throw error;
    }
    const impossible = inferred.find(({ shape }) => !isValidShape(shape));
    if (impossible) fail(`expected sizes that give a tensor, got ${formatShape(impossible.shape)}`);
    if (outputNames && outputNames.length !== inferred.length) {
      fail(`expected ${inferred.length} outputs, got ${outputNames.length} names for them`);
    }
    const outputs = inferred.map(({ dtype, shape, elements }, i) => {
      const given = outputNames?.[i];
      const made = given === undefined ? this.#fresh(`${op.name}_out${i || ''}`) : this.#claim(given);
      const known = elements && smallShape(shape) && areSound(elements);
      return this.#make({ name: made, dtype, shape, ...(known ? { elements } : {}) });
    });
    this.nodes.push({ name, op, inputs, outputs, attributes });
    return outputs;
  }

  #make(value: Value): Value {
    this.#values.add(value);
    return value;
  }

  #numbered(base: string): string {
    const scoped = [...this.#scopes, base].join('/');
    const count = (this.#counts.get(scoped) ?? 0) + 1;
    this.#counts.set(scoped, count);
    return `${scoped}_${count}`;
  }

  /** A name for a value that is still free. */
  #fresh(base: string): string {
    for (;;) {
      const name = this.#unavoided(base);
      if (!this.#names.has(name)) return this.#claim(name);
    }
  }

  #unavoided(base: string): string {
    for (;;) {
      const name = this.#numbered(base);
      if (!this.#avoided.has(name)) return name;
    }
  }

  #claim(name: string): string {
    if (this.#names.has(name)) throw this.#taken(name);
    this.#names.add(name);
    return name;
  }

  #taken(name: string): GraphError {
    return new GraphError(`graph ${this.name}: expected a name of its own, got "${name}", which is taken.`);
  }
}
