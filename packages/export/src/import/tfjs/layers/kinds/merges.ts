/** Layers of several inputs. */
import {
  Add,
  Concat,
  type Graph,
  GraphError,
  Max,
  Min,
  Mul,
  Sub,
  Unsqueeze,
  type Value,
} from '@cyclegan/graph';
import type { Tensor as TfTensor } from '@tensorflow/tfjs-core';
import type { CustomLayer, TfjsForLayers, TfjsLayerClass } from '../layer-kind.js';
import { axisFrom } from './common.js';

function merge(
  className: string,
  join: (graph: Graph, inputs: readonly [Value, ...Value[]]) => Value,
  define?: CustomLayer['define'],
): CustomLayer {
  return {
    className,
    merges: true,
    convert: ({ graph, inputs }) => join(graph, sameRank(graph, inputs)),
    ...(define ? { define } : {}),
  };
}

/** Fewer axes than another input's are filled up behind the batch, as Keras does. */
function sameRank(graph: Graph, inputs: readonly Value[]): [Value, ...Value[]] {
  const rank = Math.max(...inputs.map(({ shape }) => shape.length));
  const [first, ...others] = inputs.map((input) => {
    const missing = Array.from({ length: rank - input.shape.length }, (_, i) => i + 1);
    return missing.length === 0 ? input : graph.op(Unsqueeze, [input, graph.ints(missing)]);
  });
  if (!first || others.length === 0) {
    throw new GraphError(`expected at least 2 inputs, got ${inputs.length}. Convert the model again.`);
  }
  return [first, ...others];
}

/** One operator of two inputs, from the first input to the last. */
function folded(className: string, op: typeof Add): CustomLayer {
  return merge(className, (graph, inputs) => inputs.reduce((sum, input) => graph.op(op, [sum, input])));
}

const Average = merge('Average', (graph, inputs) => {
  const sum = inputs.reduce((total, input) => graph.op(Add, [total, input]));
  return graph.op(Mul, [sum, graph.float(1 / inputs.length)]);
});

type TfShape = (number | null)[];

/** tfjs has none. */
const Subtract: CustomLayer = merge(
  'Subtract',
  (graph, [first, second, ...others]) => {
    if (!second || others.length > 0) {
      throw new GraphError(`expected 2 inputs, got ${others.length + 2}. Convert the model again.`);
    }
    return graph.op(Sub, [first, second]);
  },
  (tf: TfjsForLayers): TfjsLayerClass =>
    class extends tf.layers.Layer {
      static className = 'Subtract';
      override computeOutputShape(shapes: TfShape | TfShape[]) {
        const [first] = shapes as TfShape[];
        return first ?? [];
      }
      override call(inputs: TfTensor | TfTensor[]) {
        const [first, second] = Array.isArray(inputs) ? inputs : [inputs];
        return first && second ? tf.sub(first, second) : [];
      }
    },
);

const Concatenate: CustomLayer = {
  className: 'Concatenate',
  merges: true,
  convert: ({ graph, inputs, x, config }) => {
    const given = config.integer('axis', { fallback: -1, least: -8 });
    const axis = axisFrom(x, given);
    // tfjs takes any negative axis for the last.
    if (given < 0 && axis !== x.shape.length - 1) config.refuse('an axis from 0, or -1', String(given));
    return graph.op(Concat, inputs, { axis });
  },
};

export const merges: readonly CustomLayer[] = [
  folded('Add', Add),
  folded('Multiply', Mul),
  Subtract,
  Average,
  merge('Maximum', (graph, inputs) => graph.op(Max, inputs)),
  merge('Minimum', (graph, inputs) => graph.op(Min, inputs)),
  Concatenate,
];
