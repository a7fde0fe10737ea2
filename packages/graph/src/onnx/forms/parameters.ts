/** Operators whose parameters were attributes and are inputs now, or the other way round. */
import type { Value } from '../../graph.js';
import type { OpDefinition } from '../../op-definition.js';
import {
  AveragePool,
  BatchNormalization,
  Cast,
  Clip,
  Concat,
  ConstantOfShape,
  DequantizeLinear,
  Div,
  Dropout,
  Identity,
  Pad,
  QuantizeLinear,
  ReduceL1,
  ReduceL2,
  ReduceMax,
  ReduceMean,
  ReduceMin,
  ReduceProd,
  ReduceSum,
  ReduceSumSquare,
  Shape,
  Slice,
  Split,
  Squeeze,
  Unsqueeze,
} from '../../ops/index.js';
import { onnxTypes } from '../../ops/logic.js';
import { tensor } from '../../tensor.js';
import {
  asInput,
  asNumbers,
  attributeOf,
  type FileNode,
  type Form,
  forAllAxes,
  type Placed,
  scalarLike,
  without,
} from './form.js';

/** As it is here, without the attributes named. */
export function placed(op: OpDefinition, node: FileNode, ...dropped: string[]): Placed {
  return { op, inputs: node.inputs, attributes: without(node, ...dropped) };
}

/** A list of axes that was an attribute before opset 13. */
function axesInput(op: OpDefinition): Form {
  return {
    attributes: { axes: 'ints' },
    bring: (node) => ({
      op,
      inputs: [node.inputs[0], node.inputs[1] ?? asInput(node, 'axes')],
      attributes: without(node, 'axes'),
    }),
  };
}

/** A list of axes that is an input from opset 18 on. */
function axesAttribute(op: OpDefinition): Form {
  return {
    attributes: { noop_with_empty_axes: 'int' },
    bring: (node) => {
      const listed = asNumbers(node, 1, 'axes');
      const axes = listed ?? attributeOf(node, 'axes', 'ints');
      const idle = attributeOf(node, 'noop_with_empty_axes', 'int') && !axes?.length;
      if (idle) return { op: Identity, inputs: [node.inputs[0]], attributes: {} };
      const rest = without(node, 'noop_with_empty_axes');
      const attributes = listed?.length ? { ...rest, axes: listed } : rest;
      return { op, inputs: [node.inputs[0]], attributes };
    },
  };
}

function first(node: FileNode): Value {
  return node.inputs[0] ?? node.fail('expected an input');
}

/** Bounds were attributes before opset 11. */
const clip: Form = {
  attributes: { min: 'float', max: 'float' },
  bring: (node) => {
    const bounds = ['min', 'max'].map((name, i) => {
      const bound = attributeOf(node, name, 'float');
      return bound === undefined ? node.inputs[i + 1] : scalarLike(node, bound, first(node));
    });
    return { op: Clip, inputs: [node.inputs[0], ...bounds], attributes: {} };
  },
};

/** Pads were attributes before opset 11; from 18 on they may be for some axes alone. */
const pad: Form = {
  attributes: { pads: 'ints', value: 'float' },
  bring: (node) => {
    const x = first(node);
    const [, given, fill, someAxes] = node.inputs;
    const value = attributeOf(node, 'value', 'float');
    const axes = someAxes && asNumbers(node, 3, 'axes');
    let pads = given ?? asInput(node, 'pads');
    if (axes && pads) {
      const { graph } = node;
      const at = [0, axes.length, 2 * axes.length].map((n) => graph.ints([n]));
      const sides = [0, 1].map((side) => {
        const half = graph.op(Slice, [pads, at[side], at[side + 1]]);
        return forAllAxes(node, half, axes, x, graph.ints([0]));
      });
      pads = graph.op(Concat, sides, { axis: 0 });
    }
    const filling = value === undefined ? fill : scalarLike(node, value, x);
    return {
      op: Pad,
      inputs: filling ? [x, pads, filling] : [x, pads],
      attributes: without(node, 'pads', 'value'),
    };
  },
};

/** Bounds were attributes before opset 10. */
const slice: Form = {
  attributes: { starts: 'ints', ends: 'ints', axes: 'ints' },
  bring: (node) => ({
    op: Slice,
    inputs: attributeOf(node, 'starts', 'ints')
      ? [node.inputs[0], ...['starts', 'ends', 'axes'].map((name) => asInput(node, name))]
      : node.inputs,
    attributes: {},
  }),
};

/** Sizes were an attribute before opset 13. Where there are none, the parts are equal, but for a smaller last one. */
const split: Form = {
  attributes: { split: 'ints', num_outputs: 'int' },
  bring: (node) => {
    const sizes = node.inputs[1] ?? asInput(node, 'split') ?? equalSizes(node);
    return { op: Split, inputs: [node.inputs[0], sizes], attributes: without(node, 'split', 'num_outputs') };
  },
};

function equalSizes(node: FileNode): Value {
  const { graph, outputs } = node;
  const x = first(node);
  const axis = attributeOf(node, 'axis', 'int') ?? 0;
  const size = x.shape.at(axis);
  if (typeof size === 'number') {
    const part = Math.ceil(size / outputs);
    return graph.ints(Array.from({ length: outputs }, (_, i) => (i < outputs - 1 ? part : size - part * i)));
  }
  const at = axis < 0 ? axis + x.shape.length : axis;
  const whole = graph.op(Shape, [x], { start: at, end: at + 1 });
  const part = graph.op(Div, [whole, graph.ints([outputs])]);
  return graph.op(Concat, new Array<Value>(outputs).fill(part), { axis: 0 });
}

/** The ratio was an attribute before opset 12. Out of training the mask is true everywhere; before, runtimes left it empty. */
const dropout: Form = {
  attributes: { ratio: 'float' },
  bring: (node) => {
    const { graph } = node;
    const ratio = attributeOf(node, 'ratio', 'float');
    const inputs = ratio === undefined ? node.inputs : [node.inputs[0], graph.float(ratio)];
    const attributes = without(node, 'ratio');
    if (node.outputs < 2) return { op: Dropout, inputs, attributes };
    const kept = { value: tensor('bool', [1], Uint8Array.of(node.opset < 12 ? 0 : 1)) };
    return [
      graph.op(Dropout, inputs, attributes),
      graph.op(ConstantOfShape, [graph.op(Shape, [first(node)])], kept),
    ];
  },
};

/** `spatial` 0, of opset 7 alone, has statistics for each pixel. */
const batchNormalization: Form = {
  attributes: { spatial: 'int' },
  bring: (node) => {
    if (attributeOf(node, 'spatial', 'int') === 0) node.fail('expected spatial 1, got 0');
    return placed(BatchNormalization, node, 'spatial');
  },
};

/** Dilations are there from opset 19 on. */
const averagePool: Form = {
  attributes: { dilations: 'ints' },
  bring: (node) => {
    const dilations = attributeOf(node, 'dilations', 'ints') ?? [];
    if (dilations.some((n) => n !== 1)) node.fail(`expected no dilations, got [${dilations.join(', ')}]`);
    return placed(AveragePool, node, 'dilations');
  },
};

/** From opset 19 on there are more types, and from 21 on blocks, of which only what opset 17 has is taken. */
function quantization(op: OpDefinition): Form {
  return {
    attributes: { saturate: 'int', block_size: 'int', output_dtype: 'int' },
    bring: (node) => {
      const type = attributeOf(node, 'output_dtype', 'int') ?? 0;
      const made = op.name === 'DequantizeLinear' ? 'float32' : (node.inputs[2]?.dtype ?? 'uint8');
      if (attributeOf(node, 'block_size', 'int')) node.fail('expected no blocks, got a block_size');
      if (type !== 0 && type !== onnxTypes[made])
        node.fail(`expected output_dtype ${onnxTypes[made]}, got ${type}`);
      return placed(op, node, 'saturate', 'block_size', 'output_dtype');
    },
  };
}

/** `saturate`, from opset 19 on, says something of 8-bit floats alone. */
const cast: Form = { attributes: { saturate: 'int' }, bring: (node) => placed(Cast, node, 'saturate') };

/** To the type of the second input. */
const castLike: Form = {
  attributes: { saturate: 'int' },
  bring: (node) => {
    const like = node.inputs[1] ?? node.fail('expected two inputs');
    return { op: Cast, inputs: [node.inputs[0]], attributes: { to: onnxTypes[like.dtype] } };
  },
};

export const parameterForms: Readonly<Record<string, Form>> = {
  AveragePool: averagePool,
  BatchNormalization: batchNormalization,
  Cast: cast,
  CastLike: castLike,
  Clip: clip,
  DequantizeLinear: quantization(DequantizeLinear),
  Dropout: dropout,
  Pad: pad,
  QuantizeLinear: quantization(QuantizeLinear),
  ReduceL1: axesAttribute(ReduceL1),
  ReduceL2: axesAttribute(ReduceL2),
  ReduceMax: axesAttribute(ReduceMax),
  ReduceMean: axesAttribute(ReduceMean),
  ReduceMin: axesAttribute(ReduceMin),
  ReduceProd: axesAttribute(ReduceProd),
  ReduceSum: axesInput(ReduceSum),
  ReduceSumSquare: axesAttribute(ReduceSumSquare),
  Slice: slice,
  Split: split,
  Squeeze: axesInput(Squeeze),
  Unsqueeze: axesInput(Unsqueeze),
};
