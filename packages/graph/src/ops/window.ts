/** Sliding windows: what convolutions and pools have in common, their lists of attributes and output sizes. */
import { addDim, type Dim, floorDivDim } from '../dim.js';
import { extreme } from '../elements.js';
import type { InferContext } from '../op-definition.js';
import { oneOf } from './access.js';

export type Axis = 0 | 1;

/** A window along one axis; `reach` is what it takes in, from the first to the last pixel. */
export interface Window {
  reach: number;
  stride: number;
  pads: readonly [before: number, after: number];
}

/** How the sizes follow where no pads are given; SAME_UPPER and SAME_LOWER differ in no size. */
export function autoPadOf(context: InferContext, given: string | undefined): 'NOTSET' | 'SAME' | 'VALID' {
  const word = oneOf(context, 'auto_pad', given, ['NOTSET', 'SAME_UPPER', 'SAME_LOWER', 'VALID']);
  return word === 'SAME_UPPER' || word === 'SAME_LOWER' ? 'SAME' : word;
}

/** Fails for a list of another length, or numbers below the least that has a meaning. */
export function checkList(
  { fail }: InferContext,
  name: string,
  list: readonly number[] | undefined,
  length: number,
  least: number,
): void {
  if (list && (list.length !== length || list.some((n) => !(n >= least)))) {
    fail(`expected ${length} ${name} from ${least}, got [${list.join(', ')}]`);
  }
}

/**
 * How many windows fit; `roundUp` counts a last one that begins inside the input or its first pad.
 * @throws GraphError by `fail` where none does
 */
export function windowCount(
  { fail }: InferContext,
  size: Dim,
  { reach, stride, pads: [before, after] }: Window,
  autoPad: 'NOTSET' | 'SAME' | 'VALID',
  roundUp = false,
): Dim {
  if (autoPad === 'SAME') return floorDivDim(addDim(size, stride - 1), stride);
  const [head, tail] = autoPad === 'VALID' ? [0, 0] : [before, after];
  const room = addDim(size, head + tail - reach);
  if (typeof room === 'number' && room < 0) fail('expected an input at least as large as the kernel');
  if (!roundUp) return addDim(floorDivDim(room, stride), 1);
  const begun = floorDivDim(addDim(size, head + stride - 1), stride);
  return extreme(addDim(floorDivDim(addDim(room, stride - 1), stride), 1), begun, 'min');
}
