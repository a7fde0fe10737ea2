/** Padding, resizing, and blocks of pixels moved to channels or samples. */
import { knownElements, Pad, Reshape, Transpose, type Value } from '@cyclegan/graph';
import { type AxisPads, batchToSpace, depthToSpace, mirrorPad, resize, spaceToBatch } from '../../kernels.js';
import { type Call, type Converter, layoutOf, numbers } from '../call.js';
import { dilatedConvolution } from './dilation.js';

/** Pads [rank, 2] as ONNX lists them: all before, then all behind. */
function onnxPads({ graph, input }: Call): Value {
  const pads = input(1);
  const known = knownElements(pads);
  const fixed = known?.filter((size) => typeof size === 'number');
  if (fixed && fixed.length === known?.length) {
    return graph.ints([...fixed.filter((_, i) => i % 2 === 0), ...fixed.filter((_, i) => i % 2 === 1)]);
  }
  return graph.op(Reshape, [graph.op(Transpose, [pads], { perm: [1, 0] }), graph.ints([-1])]);
}

function pad(call: Call): Value {
  const value = call.inputs.length > 2 ? [call.input(2)] : [];
  return call.graph.op(Pad, [call.input(0), onnxPads(call), ...value]);
}

function mirror(call: Call): Value {
  const mode = call.attributes.string('mode', '').toUpperCase();
  const x = call.input(0);
  if (mode === 'REFLECT') return call.graph.op(Pad, [x, onnxPads(call)], { mode: 'reflect' });
  if (mode !== 'SYMMETRIC') return call.fail(`expected mode REFLECT or SYMMETRIC, got ${mode}`);
  const list = numbers(call, 1, 'pads');
  const pads: AxisPads = x.shape.map((_, axis) => [list[2 * axis] ?? 0, list[2 * axis + 1] ?? 0]);
  if (list.some((n) => n < 0 || n > 4096)) call.fail('expected pads of a few pixels');
  return mirrorPad(call.graph, x, pads, mode);
}

function resized(method: 'bilinear' | 'nearest'): Converter {
  return ({ graph, input, attributes }) =>
    resize(graph, input(0), {
      size: input(1),
      method,
      alignCorners: attributes.bool('align_corners', false),
      halfPixelCenters: attributes.bool('half_pixel_centers', false),
    });
}

/** The attribute block_size. */
function blockSize({ attributes, fail }: Call): number {
  const size = attributes.int('block_size', 0);
  return size >= 1 ? size : fail(`expected a block_size from 1, got ${size}`);
}

/** Height and width of a block, and the margins beside it. */
function blocks(call: Call): { block: readonly [number, number]; margins: Value } {
  const [height, width, ...others] = numbers(call, 1, 'block sizes');
  if (height === undefined || width === undefined || others.length > 0 || Math.min(height, width) < 1) {
    return call.fail('expected blocks of height and width');
  }
  return { block: [height, width], margins: call.graph.op(Reshape, [call.input(2), call.graph.ints([4])]) };
}

export const images: Readonly<Record<string, Converter>> = {
  Pad: pad,
  PadV2: pad,
  MirrorPad: mirror,
  ResizeBilinear: resized('bilinear'),
  ResizeNearestNeighbor: resized('nearest'),
  DepthToSpace: (call) => depthToSpace(call.graph, call.input(0), blockSize(call), layoutOf(call)),
  SpaceToBatchND: (call) => spaceToBatch(call.graph, call.input(0), blocks(call)),
  BatchToSpaceND: (call) => dilatedConvolution(call) ?? batchToSpace(call.graph, call.input(0), blocks(call)),
};
