/** Operators that run a graph of their own: ONNX's Loop as a counted repetition. No gradients: a loop's body holds its. */
import { type Dim, formatShape, sameShape, symbolicDim } from '../dim.js';
import type { Value } from '../graph.js';
import { defineOp } from '../op-definition.js';
import { toNumbers } from '../tensor.js';

/**
 * Runs `body` as often as the first input says, an int64 scalar. The second input, a condition, is left out here.
 *
 * The other inputs are the state before the first turn. The body's inputs: the turn's number from 0 (int64 scalar),
 * a bool scalar that says nothing here, the state. Its outputs: a bool scalar, always true; the next state; what is
 * kept of each turn. The node's outputs: the last state, then what was kept, stacked along a new first axis, whose
 * symbol is the count's name where that is no constant.
 */
export const Loop = defineOp({
  name: 'Loop',
  arity: [3, Number.POSITIVE_INFINITY],
  skippable: [1],
  attributes: { body: 'graph' },
  infer: ({ inputs, attributes, fail }) => {
    const [count, condition, ...state] = inputs as [Value, Value | undefined, ...(Value | undefined)[]];
    const body = attributes.body ?? fail('expected a body');
    if (count.dtype !== 'int64' || count.shape.some((dim) => dim !== 1)) {
      fail('expected an int64 scalar for the number of turns');
    }
    if (condition) fail('expected no condition, as the number of turns would not be known');
    const describe = (value: Pick<Value, 'dtype' | 'shape'> | undefined) =>
      value ? `${value.dtype}${formatShape(value.shape)}` : 'none';
    const expectAlike = (what: string, got: Value | undefined, wanted: Pick<Value, 'dtype' | 'shape'>) => {
      if (got?.dtype !== wanted.dtype || !sameShape(got.shape, wanted.shape)) {
        fail(`expected ${what} of ${describe(wanted)}, got ${describe(got)}`);
      }
    };
    const [turn, goesOn, ...before] = body.inputs;
    const [goneOn, ...made] = body.outputs.map(({ value }) => value);
    if (before.length !== state.length || made.length < state.length) {
      fail(`expected a body of ${state.length} state values, got ${before.length} in and ${made.length} out`);
    }
    const scalar = { shape: [] };
    expectAlike("the body's turn", turn, { ...scalar, dtype: 'int64' });
    expectAlike("the body's condition", goesOn, { ...scalar, dtype: 'bool' });
    expectAlike("the body's condition after a turn", goneOn, { ...scalar, dtype: 'bool' });
    state.forEach((value, i) => {
      const wanted = value ?? fail(`expected state ${i}, got none`);
      expectAlike(`state ${i} before a turn`, before[i], wanted);
      expectAlike(`state ${i} after a turn`, made[i], wanted);
    });
    const turns: Dim = count.constant ? Number(toNumbers(count.constant)[0]) : symbolicDim(count.name);
    return made.map(({ dtype, shape }, i) => ({
      dtype,
      shape: i < state.length ? shape : [turns, ...shape],
    }));
  },
});
