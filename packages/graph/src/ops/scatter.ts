/** Picking and placing by lists of indices. No gradients. */
import { agreeShapes } from '../dim.js';
import type { Value } from '../graph.js';
import { defineOp, type InferContext } from '../op-definition.js';

/** Shape of what an index list picks: its own leading axes, then those of the data that it leaves open. */
function pickedShape({ fail }: InferContext, data: Value, indices: Value, batch: number) {
  const depth = indices.shape.at(-1);
  if (indices.dtype !== 'int64') fail(`expected int64 indices, got ${indices.dtype}`);
  if (
    typeof depth !== 'number' ||
    !(batch >= 0) ||
    batch >= indices.shape.length ||
    batch + depth > data.shape.length
  ) {
    return fail('expected indices whose last axis counts axes of the data');
  }
  return [...indices.shape.slice(0, -1), ...data.shape.slice(batch + depth)];
}

export const GatherND = defineOp({
  name: 'GatherND',
  arity: [2, 2],
  attributes: { batch_dims: 'int' },
  infer: (context) => {
    const [data, indices] = context.inputs as [Value, Value];
    const shape = pickedShape(context, data, indices, context.attributes.batch_dims ?? 0);
    return [{ dtype: data.dtype, shape }];
  },
});

/** Inputs: data, indices, updates; `reduction` none, add or mul. */
export const ScatterND = defineOp({
  name: 'ScatterND',
  arity: [3, 3],
  attributes: { reduction: 'string' },
  infer: (context) => {
    const [data, indices, updates] = context.inputs as [Value, Value, Value];
    if (updates.dtype !== data.dtype) context.fail(`expected updates of ${data.dtype}, got ${updates.dtype}`);
    const wanted = pickedShape(context, data, indices, 0);
    if (!agreeShapes(updates.shape, wanted)) context.fail('expected an update for each index');
    return [{ dtype: data.dtype, shape: data.shape }];
  },
});
