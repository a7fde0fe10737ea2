/**
 * The interfaces of a model as one choice: which graph it makes, what its file is called, and what the manifest says of
 * its inputs and outputs. The changes themselves are in the files beside this one.
 */
import { formatDim, formatShape, type Graph, GraphError, type Value } from '@cyclegan/graph';
import { CycleganError, type Direction, type Precision, type VariantEntry } from '@cyclegan/runtime-core';
import { type FixedSize, toFixedSize } from './fixed-size.js';
import { toNhwc } from './nhwc.js';
import { toRgba8 } from './rgba8.js';
import { statisticsGraph, tileGraph } from './tiles.js';

/** What is left out is as in a bundle's `models`: float32, NCHW, of any size, whole. */
export interface VariantOptions {
  io?: VariantEntry['io'] | undefined;
  /** Of float32 images; bytes are NHWC. */
  layout?: VariantEntry['layout'] | undefined;
  size?: FixedSize | undefined;
  part?: VariantEntry['part'] | undefined;
}

/** What a manifest's entry says of a variant's interface. */
export type VariantInterface = Pick<
  VariantEntry,
  'io' | 'layout' | 'size' | 'part' | 'inputs' | 'outputs' | 'statistics'
>;

/**
 * @param graph a model as a bundle holds it, in any precision: float32 [N, C, H, W] on [-1, 1] in and out
 * @returns another graph, or the same one where nothing is asked of it
 * @throws CycleganError `usage` for bytes that are to be NCHW; GraphError where the model does not allow what is asked
 */
export function variantOf(graph: Graph, options: VariantOptions): Graph {
  const { io = 'float32', size, part = 'whole' } = options;
  const layout = layoutOf(options);
  const parts = {
    whole: () => graph,
    statistics: () => statisticsGraph(graph),
    tile: () => tileGraph(graph),
  };
  const taken = parts[part]();
  const sized = size ? toFixedSize(taken, size) : taken;
  if (io === 'rgba8') return toRgba8(sized);
  return layout === 'NHWC' ? toNhwc(sized) : sized;
}

/** `AtoB.fp32.rgba8.256x256.onnx`, `AtoB.int8.tile.onnx`, `AtoB.fp32.nhwc.onnx`. */
export function variantFile(
  { direction, precision }: { direction: Direction; precision: Precision },
  options: VariantOptions,
): string {
  const { io = 'float32', size, part = 'whole' } = options;
  const layout = layoutOf(options);
  const words: string[] = [direction, precision];
  if (part !== 'whole') words.push(part);
  if (io === 'rgba8') words.push(io);
  else if (layout === 'NHWC') words.push('nhwc');
  if (size) words.push(`${size.width}x${size.height}`);
  if (size?.batch !== undefined && size.batch !== 1) words.push(`batch${size.batch}`);
  return `${words.join('.')}.onnx`;
}

/**
 * @param graph what {@link variantOf} made by the same options
 * @throws GraphError for inputs and outputs that are neither images nor statistics
 */
export function describeVariant(graph: Graph, options: VariantOptions): VariantInterface {
  const { io = 'float32', size, part = 'whole' } = options;
  const layout = layoutOf(options);
  const inputs = graph.inputs.map((value) => describe(value.name, value, layout));
  const outputs = graph.outputs.map(({ name, value }) => describe(name, value, layout));
  const [statistics] = [...inputs, ...outputs].flatMap(({ image, shape }) => (image ? [] : shape.slice(2)));
  return {
    io,
    layout,
    size: size ? { width: size.width, height: size.height } : null,
    part,
    inputs,
    outputs,
    statistics: typeof statistics === 'number' ? statistics : null,
  };
}

function layoutOf({ io, layout }: VariantOptions): 'NCHW' | 'NHWC' {
  if (io === 'rgba8' && layout === 'NCHW') {
    throw new CycleganError(
      'usage',
      '[export] layout: expected NHWC for bytes (rgba8), got NCHW. Leave the layout out, or take float32.',
    );
  }
  return io === 'rgba8' ? 'NHWC' : (layout ?? 'NCHW');
}

type TensorEntry = VariantEntry['inputs'][number];

function describe(name: string, { dtype, shape }: Value, layout: 'NCHW' | 'NHWC'): TensorEntry {
  const refuse = (): never => {
    throw new GraphError(
      `"${name}": expected an image of 1, 3 or 4 channels or statistics, got ${dtype}${formatShape(shape)}.`,
    );
  };
  if (dtype !== 'float32' && dtype !== 'uint8') return refuse();
  const entry = { name, dtype, shape: shape.map((dim) => (typeof dim === 'number' ? dim : formatDim(dim))) };
  if (shape.length === 3) return { ...entry, image: null };
  const channels = shape[layout === 'NCHW' ? 1 : 3];
  if (shape.length !== 4 || (channels !== 1 && channels !== 3 && channels !== 4)) return refuse();
  const range: [number, number] = dtype === 'uint8' ? [0, 255] : [-1, 1];
  return { ...entry, image: { layout, channels, range } };
}
