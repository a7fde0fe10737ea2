/**
 * TensorFlow's dilated convolutions: it writes them as SpaceToBatchND, a convolution without dilation and
 * BatchToSpaceND. Here the three become one again.
 */
import { knownElements, subDim, type Value } from '@cyclegan/graph';
import { type Call, layoutOf } from '../call.js';
import { convolve } from './convolution.js';

const convolutions = new Set([
  'Conv2D',
  '_FusedConv2D',
  'DepthwiseConv2d',
  'DepthwiseConv2dNative',
  'FusedDepthwiseConv2dNative',
]);

/**
 * @param call BatchToSpaceND's
 * @returns undefined where what it reads is something else
 */
export function dilatedConvolution(call: Call): Value | undefined {
  const convolution = call.producer(0);
  const spread = convolution?.producer(0);
  if (!convolution || !isPlain(convolution) || spread?.node.op !== 'SpaceToBatchND') return undefined;
  const dilations = blockOf(spread);
  const padding = paddingLeft(spread, call);
  if (!dilations || !padding || dilations.join() !== blockOf(call)?.join()) return undefined;
  return convolve(convolution, spread.input(0), { dilations, padding });
}

function isPlain(call: Call): boolean {
  const { node, attributes } = call;
  if (!convolutions.has(node.op) || layoutOf(call) !== 'NHWC') return false;
  const windows = [...attributes.ints('strides', []), ...attributes.ints('dilations', [])];
  return windows.every((n) => n === 1) && attributes.string('padding', '').toUpperCase() === 'VALID';
}

function blockOf(call: Call): readonly [number, number] | undefined {
  const [height, width, ...others] = knownElements(call.input(1)) ?? [];
  const square = typeof height === 'number' && typeof width === 'number' && others.length === 0;
  return square && Math.min(height, width) >= 1 ? [height, width] : undefined;
}

/** What SpaceToBatchND adds and BatchToSpaceND does not take away again: [top, left, bottom, right]. */
function paddingLeft(spread: Call, back: Call): readonly [number, number, number, number] | undefined {
  const [pads, crops] = [knownElements(spread.input(2)), knownElements(back.input(2))];
  // What is cropped before the first pixel would move the windows.
  if (!pads || crops?.[0] !== 0 || crops[2] !== 0) return undefined;
  const rest = pads.map((pad, i) => subDim(pad, crops[i] ?? 0));
  const [top, bottom, left, right] = rest.filter((size) => typeof size === 'number' && size >= 0) as number[];
  const known = top !== undefined && bottom !== undefined && left !== undefined && right !== undefined;
  return known && rest.length === 4 ? [top, left, bottom, right] : undefined;
}
