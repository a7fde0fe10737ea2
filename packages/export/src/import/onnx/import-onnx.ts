/**
 * A generator of any origin from an ONNX file: its image input and output as float32 [N, C, H, W], whatever layout and
 * type they have in the file. What is between them is read by the graph package.
 */
import { basename } from 'node:path';
import {
  Cast,
  Clip,
  type Graph,
  onnxTypes,
  prune,
  Round,
  readOnnx,
  rebuild,
  Transpose,
  type Value,
} from '@cyclegan/graph';
import { graphFailure } from '../../graph-failure.js';
import type { Imported } from '../imported.js';
import { type ChosenEnds, findImageEnds, type ImageEnd } from './image-ends.js';
import { readModelFile } from './model-file.js';
import { openOnnxReference } from './reference.js';

export type ImportOnnxOptions = ChosenEnds;

/**
 * Reads an ONNX file. Sizes that it fixes stay fixed; `freeSizes` sets them free.
 * @param source a path, or the bytes of a file without external data; the bytes must not change afterwards
 * @throws CycleganError `input` for what cannot be read, holds operators that are not known, or is no model from one
 * image to one image
 */
export async function importOnnx(
  source: string | Uint8Array,
  options: ImportOnnxOptions = {},
): Promise<Imported> {
  const where = typeof source === 'string' ? basename(source) : 'ONNX bytes';
  const file = await readModelFile(source, where);
  try {
    const { graph } = readOnnx(file.bytes, file.options);
    const ends = findImageEnds(graph, options, where);
    return {
      kind: 'onnx',
      graph: asPlanes(graph, ends),
      layout: ends.input.layout,
      ...(ends.input.dtype === 'uint8' && ends.output.dtype === 'uint8' && { range: [0, 255] as const }),
      config: null,
      openReference: () => openOnnxReference(source, ends),
    };
  } catch (error) {
    throw graphFailure('input', where, error);
  }
}

/** The graph with float32 NCHW ends; other outputs, and what leads to them alone, are left out. */
function asPlanes(graph: Graph, { input, output }: { input: ImageEnd; output: ImageEnd }): Graph {
  const made = rebuild(graph, {
    input(next, { name, shape }) {
      const planes = input.layout === 'NCHW' ? shape : fromLast(shape);
      const image = next.input(name, 'float32', planes);
      const typed = input.dtype === 'float32' ? image : cast(next, image, input);
      return input.layout === 'NCHW' ? typed : next.op(Transpose, [typed], { perm: [0, 2, 3, 1] });
    },
    output(next, { name, value }) {
      if (name !== output.name) return undefined;
      const planes = output.layout === 'NCHW' ? value : next.op(Transpose, [value], { perm: [0, 3, 1, 2] });
      return output.dtype === 'float32' ? planes : next.op(Cast, [planes], { to: onnxTypes.float32 });
    },
  });
  prune(made);
  return made;
}

/** To the file's own type: bytes are rounded, since Cast cuts off. */
function cast(graph: Graph, image: Value, { dtype }: ImageEnd): Value {
  const whole = () => graph.op(Clip, [graph.op(Round, [image]), graph.float(0), graph.float(255)]);
  return graph.op(Cast, [dtype === 'uint8' ? whole() : image], { to: onnxTypes[dtype] });
}

/** [N, H, W, C] → [N, C, H, W] */
function fromLast<T>(shape: readonly T[]): T[] {
  return [0, 3, 1, 2].flatMap((axis) => shape[axis] ?? []);
}
