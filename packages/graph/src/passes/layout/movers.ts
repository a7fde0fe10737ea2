/**
 * How operators work on tensors whose axes are in another order: which inputs come moved, which outputs do, and what
 * changes in attributes and parameters. Decides nothing; operators without a rule here (Conv, MatMul, …) know one order.
 */
import { type Shape, sameShape } from '../../dim.js';
import type { Graph, Node, Value } from '../../graph.js';
import type { Attributes, OpDefinition } from '../../op-definition.js';
import { Gather, Reshape } from '../../ops/index.js';
import { isGiven, numbersOf, type OperatorName } from '../pass.js';
import { inverse, keepsOrder, type Permutation, permuted, withRank } from './permutation.js';

/** A node on moved tensors. */
export interface Move {
  /** The inputs, by place, that come moved; of fewer axes too, which then broadcast. */
  takes: readonly number[];
  /** The outputs that come out moved; the others are as they were. */
  gives: readonly number[];
  /** Another operator, or other attributes or inputs; default: the node's own. */
  op?: OpDefinition;
  attributes?: Attributes;
  /** @param inputs moved already where they are to be */
  inputs?(graph: Graph, inputs: readonly (Value | undefined)[]): readonly (Value | undefined)[];
  /** What becomes of the first output, where it is to be changed yet. */
  finish?(graph: Graph, output: Value): Value;
}

/** Undefined where the node cannot work with this order of axes. */
export function moveOf(node: Node, permutation: Permutation): Move | undefined {
  return rules[node.op.name]?.(node, permutation);
}

type MoveRule = (node: Node, permutation: Permutation) => Move | undefined;

const rankOf = (value: Value | undefined) => value?.shape.length;

/** Elementwise operators of any number of inputs, which broadcast. */
const elementwise: MoveRule = ({ inputs, outputs }, { length: rank }) => {
  if (outputs.some((value) => rankOf(value) !== rank)) return undefined;
  const takes: number[] = [];
  for (const [i, value] of inputs.entries()) {
    if (!value || (value.shape.length < rank && value.shape.every((dim) => dim === 1))) continue;
    const movable =
      value.shape.length === rank || value.constant || value.shape.every((dim) => typeof dim === 'number');
    if (!movable) return undefined;
    takes.push(i);
  }
  return { takes, gives: outputs.map((_, i) => i) };
};

/** The first input moves, the others are parameters that do not depend on the order. */
const first: MoveRule = ({ inputs }, { length: rank }) =>
  rankOf(inputs[0]) === rank ? { takes: [0], gives: [0] } : undefined;

/** As {@link first}, with one axis in an attribute. */
const withAxis =
  (fallback: number): MoveRule =>
  (node, permutation) => {
    const rank = permutation.length;
    const all = node.op.name === 'Concat';
    if ((all ? node.inputs : node.inputs.slice(0, 1)).some((value) => rankOf(value) !== rank))
      return undefined;
    const { axis = fallback } = node.attributes as { axis?: number };
    return {
      takes: all ? node.inputs.map((_, i) => i) : [0],
      gives: node.outputs.map((_, i) => i),
      attributes: { ...node.attributes, axis: movedAxis(axis, permutation) },
    };
  };

function movedAxis(axis: number, permutation: Permutation): number {
  return permutation.indexOf(axis < 0 ? axis + permutation.length : axis);
}

function movedAxes(axes: readonly number[], permutation: Permutation): number[] {
  return axes.map((axis) => movedAxis(axis, permutation)).sort((a, b) => a - b);
}

/** A parameter of so many numbers an axis (Pad's two) after the axes have moved. */
function movedList(graph: Graph, list: Value, permutation: Permutation): Value {
  const rank = permutation.length;
  const known = list.constant;
  const order = Array.from({ length: (known?.data.length ?? Number(list.shape[0])) / rank }, (_, block) =>
    permutation.map((axis) => axis + block * rank),
  ).flat();
  if (!known) return graph.op(Gather, [list, graph.ints(order)]);
  if (known.dtype === 'float32') return graph.float(permuted([...(known.data as Float32Array)], order));
  return graph.ints(permuted(numbersOf(list) ?? [], order));
}

/** As {@link first}, with parameters of `blocks` numbers an axis among the inputs. */
const withLists =
  (places: readonly number[], blocks = 1): MoveRule =>
  (node, permutation) => {
    const rank = permutation.length;
    const lists = places.filter((i) => isGiven(node.inputs[i]));
    const fits = lists.every((i) => node.inputs[i]?.shape[0] === rank * blocks);
    if (rankOf(node.inputs[0]) !== rank || rankOf(node.outputs[0]) !== rank || !fits) return undefined;
    return {
      takes: [0],
      gives: [0],
      inputs: (graph, inputs) =>
        inputs.map((value, i) => (value && lists.includes(i) ? movedList(graph, value, permutation) : value)),
    };
  };

const slice: MoveRule = (node, permutation) => {
  if (rankOf(node.inputs[0]) !== permutation.length) return undefined;
  const axes = node.inputs[3]
    ? numbersOf(node.inputs[3])
    : permutation.slice(0, Number(node.inputs[1]?.shape[0])).map((_, i) => i);
  if (!axes) return undefined;
  return {
    takes: [0],
    gives: [0],
    inputs: (graph, [x, starts, ends, , steps]) => {
      const moved = graph.ints(axes.map((axis) => movedAxis(axis, permutation)));
      return [x, starts, ends, moved, ...(steps ? [steps] : [])];
    },
  };
};

/** A reduction without the axes that it drops keeps its order, or does not move. */
const reduction: MoveRule = (node, permutation) => {
  const rank = permutation.length;
  if (rankOf(node.inputs[0]) !== rank) return undefined;
  const { keepdims = 1, axes: attribute } = node.attributes as {
    keepdims?: number;
    axes?: readonly number[];
  };
  const list = node.inputs[1];
  const axes = list ? numbersOf(list) : attribute;
  if (list && !axes) return undefined;
  const dropped = new Set(axes?.length ? axes.map((axis) => (axis < 0 ? axis + rank : axis)) : permutation);
  if (!keepdims && !keepsOrder(permutation, dropped)) return undefined;
  return {
    takes: [0],
    gives: keepdims ? [0] : [],
    ...(attribute ? { attributes: { ...node.attributes, axes: movedAxes(attribute, permutation) } } : {}),
    inputs: (graph, [x]) => [x, ...(list && axes ? [graph.ints(movedAxes(axes, permutation))] : [])],
  };
};

/** ArgMax and its like: one axis, which is dropped or not. */
const argument: MoveRule = (node, permutation) => {
  const { keepdims = 1, axis = 0 } = node.attributes as { keepdims?: number; axis?: number };
  const counted = axis < 0 ? axis + permutation.length : axis;
  if (!keepdims && !keepsOrder(permutation, new Set([counted]))) return undefined;
  const moved = withAxis(0)(node, permutation);
  return moved && { ...moved, gives: keepdims ? [0] : [] };
};

/** Slices along one axis, by a list of places. */
const gather: MoveRule = (node, permutation) =>
  rankOf(node.inputs[1]) === 1 ? withAxis(0)(node, permutation) : undefined;

/** Per tensor, or along one axis. */
const quantisation: MoveRule = (node, permutation) => {
  if (node.inputs[1]?.shape.length === 0) return first(node, permutation);
  return withAxis(1)(node, permutation);
};

const squeeze: MoveRule = (node, permutation) => {
  const rank = permutation.length;
  const [x, list] = node.inputs;
  if (!x || rankOf(x) !== rank) return undefined;
  const given = list ? numbersOf(list) : x.shape.flatMap((dim, axis) => (dim === 1 ? [axis] : []));
  const axes = given?.map((axis) => (axis < 0 ? axis + rank : axis));
  if (!axes || !keepsOrder(permutation, new Set(axes))) return undefined;
  return { takes: [0], gives: [], inputs: (graph, [y]) => [y, graph.ints(movedAxes(axes, permutation))] };
};

const unsqueeze: MoveRule = (node, permutation) => {
  const rank = permutation.length;
  const axes = numbersOf(node.inputs[1])?.map((axis) => (axis < 0 ? axis + rank : axis));
  if (!axes || rankOf(node.outputs[0]) !== rank || !keepsOrder(permutation, new Set(axes))) return undefined;
  return { takes: [], gives: [0], inputs: (graph, [x]) => [x, graph.ints(movedAxes(axes, permutation))] };
};

/** Only where axes of size 1 come or go, which have no order. */
const reshape: MoveRule = (node, permutation) => {
  const rank = permutation.length;
  const [from, to] = [node.inputs[0]?.shape, node.outputs[0]?.shape];
  if (!from || !to || from.length === to.length) return undefined;
  const wide = from.length === rank ? from : to.length === rank ? to : undefined;
  const ones = new Set(wide?.flatMap((dim, axis) => (dim === 1 ? [axis] : [])));
  const alike = sameShape(withoutOnes(from), withoutOnes(to));
  if (!wide || !alike || !keepsOrder(permutation, ones)) return undefined;
  const sizes = sizesFor(wide === to ? permuted(to, permutation) : to);
  if (!sizes) return undefined;
  return {
    takes: wide === from ? [0] : [],
    gives: wide === to ? [0] : [],
    op: Reshape,
    attributes: {},
    inputs: (graph, [x]) => [x, graph.ints(sizes)],
  };
};

function withoutOnes(shape: Shape): Shape {
  return shape.filter((dim) => dim !== 1);
}

/** A shape as Reshape takes it, if at most one size is not a number. */
function sizesFor(shape: Shape): number[] | undefined {
  const sizes = shape.map((dim) => (typeof dim === 'number' ? dim : -1));
  return sizes.includes(0) || sizes.filter((size) => size < 0).length > 1 ? undefined : sizes;
}

/** The sizes come in the new order and are put back into the old. */
const shapeOf: MoveRule = (node, permutation) => {
  const { start, end } = node.attributes as { start?: number; end?: number };
  if (rankOf(node.inputs[0]) !== permutation.length || start || end !== undefined) return undefined;
  return {
    takes: [0],
    gives: [],
    finish: (graph, sizes) => graph.op(Gather, [sizes, graph.ints(inverse(permutation))]),
  };
};

const expand: MoveRule = (node, permutation) => {
  const rank = permutation.length;
  const sizes = numbersOf(node.inputs[1]);
  if (!sizes || sizes.length > rank || rankOf(node.inputs[0]) !== rank) return undefined;
  const moved = permuted(withRank(sizes, rank), permutation);
  return { takes: [0], gives: [0], inputs: (graph, [x]) => [x, graph.ints(moved)] };
};

const resize: MoveRule = (node, permutation) =>
  isGiven(node.inputs[1]) ? undefined : withLists([2, 3])(node, permutation);
const pad: MoveRule = (node, permutation) =>
  node.inputs[3] ? undefined : withLists([1], 2)(node, permutation);

const named = (names: readonly OperatorName[], rule: MoveRule) =>
  Object.fromEntries(names.map((name) => [name, rule] as const));

const rules: Readonly<Record<string, MoveRule>> = {
  ...named(['Abs', 'Ceil', 'Elu', 'Erf', 'Exp', 'Floor', 'HardSigmoid', 'HardSwish', 'Identity'], first),
  ...named(['LeakyRelu', 'Log', 'Neg', 'Not', 'Reciprocal', 'Relu', 'Round', 'Selu', 'Sigmoid'], first),
  ...named(['Sign', 'Softplus', 'Sqrt', 'Tanh', 'Cast', 'Clip', 'Dropout'], first),
  ...named(['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Min', 'Max', 'Mod', 'And', 'Or', 'Where'], elementwise),
  ...named(['Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual', 'PRelu'], elementwise),
  ...named(['ReduceMean', 'ReduceSum', 'ReduceMax', 'ReduceMin', 'ReduceL2', 'ReduceProd'], reduction),
  ...named(['ReduceSumSquare'], reduction),
  ...named(['ArgMax'], argument),
  ...named(['Softmax', 'LogSoftmax', 'LpNormalization'], withAxis(-1)),
  ...named(['Concat', 'Split'], withAxis(0)),
  ...named(['QuantizeLinear', 'DequantizeLinear'], quantisation),
  ...named(['Reshape', 'Flatten'], reshape),
  ...named(['Expand'], expand),
  ...named(['Gather'], gather),
  ...named(['Pad'], pad),
  ...named(['Resize'], resize),
  ...named(['Shape'], shapeOf),
  ...named(['Slice'], slice),
  ...named(['Squeeze'], squeeze),
  ...named(['Tile'], withLists([1])),
  ...named(['Unsqueeze'], unsqueeze),
};
