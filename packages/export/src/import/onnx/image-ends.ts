/**
 * Which input and output of a foreign graph are the images, and how they lie. Judges by types and shapes alone; what
 * it cannot tell is asked of the user by name.
 */
import { type DType, formatShape, type Graph, type Shape } from '@cyclegan/graph';
import { CycleganError } from '@cyclegan/runtime-core';

export type Layout = 'NCHW' | 'NHWC';
/** Types that images have in ONNX files. */
export type ImageType = 'float32' | 'float16' | 'uint8';

/** An image's place in a foreign graph. */
export interface ImageEnd {
  readonly name: string;
  readonly dtype: ImageType;
  readonly layout: Layout;
}

export interface ChosenEnds {
  /** By name, for graphs with several. */
  readonly input?: string | undefined;
  readonly output?: string | undefined;
}

interface Candidate {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
}

/**
 * @param where the file, for messages
 * @throws CycleganError `input` for a graph that takes more than an image, or whose images cannot be told
 */
export function findImageEnds(
  graph: Graph,
  chosen: ChosenEnds,
  where: string,
): { input: ImageEnd; output: ImageEnd } {
  const input = find('input', graph.inputs, chosen.input, where);
  const others = graph.inputs.filter(({ name }) => name !== input.name);
  if (others.length > 0) {
    throw refused(where, 'an image as the only input', `also ${others.map(describe).join(', ')}`);
  }
  const outputs = graph.outputs.map(({ name, value: { dtype, shape } }) => ({ name, dtype, shape }));
  return { input, output: find('output', outputs, chosen.output, where) };
}

function find(
  side: 'input' | 'output',
  candidates: readonly Candidate[],
  chosen: string | undefined,
  where: string,
): ImageEnd {
  const all = candidates.map(describe).join(', ') || 'none';
  if (chosen !== undefined) {
    const named = candidates.find(({ name }) => name === chosen);
    const [end] = named ? imageEnd(named) : [];
    if (end) return end;
    throw refused(
      where,
      `an image as ${side} "${chosen}"`,
      named ? describe(named) : `none of that name, but ${all}`,
    );
  }
  const [end, ...more] = candidates.flatMap(imageEnd);
  if (!end) {
    throw refused(where, `an image [N, C, H, W] or [N, H, W, C] of 1, 3 or 4 channels as ${side}`, all);
  }
  if (more.length > 0) {
    const names = [end, ...more].map(({ name }) => name).join(', ');
    throw refused(where, `one image as ${side}`, `${names}; name one as ${side}`);
  }
  return end;
}

/** The candidate as an image, or nothing. */
function imageEnd({ name, dtype, shape }: Candidate): ImageEnd[] {
  if (shape.length !== 4 || (dtype !== 'float32' && dtype !== 'float16' && dtype !== 'uint8')) return [];
  if (isChannels(shape[1])) return [{ name, dtype, layout: 'NCHW' }];
  if (isChannels(shape[3])) return [{ name, dtype, layout: 'NHWC' }];
  return [];
}

function isChannels(dim: unknown): boolean {
  return dim === 1 || dim === 3 || dim === 4;
}

function describe({ name, dtype, shape }: Candidate): string {
  return `"${name}" ${dtype}${formatShape(shape)}`;
}

function refused(where: string, expected: string, got: string): CycleganError {
  return new CycleganError(
    'input',
    `[export] ${where}: expected ${expected}, got ${got}. Only models from one image to one image can be imported.`,
  );
}
