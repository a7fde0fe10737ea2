/** A graph as the bytes of a bundle's file, and what a manifest's entry says of every file. Writes nothing to disk. */
import { type Graph, IR_VERSION, OPSET, writeOnnx } from '@cyclegan/graph';
import type { Direction, Manifest, ModelEntry } from '@cyclegan/runtime-core';
import type { ImageSizes } from '../image-sizes.js';
import { detailsToMetadata, type SourceDetails } from '../source/source-details.js';
import { TOOL, TOOL_VERSION } from '../version.js';
import type { PreparedModel } from './prepare-model.js';

/** What goes into the metadata of every file of a bundle. */
export interface FileFacts extends Pick<Manifest, 'name' | 'licence'> {
  readonly direction: Direction;
  readonly details: SourceDetails;
}

/** @throws GraphError above protobuf's limit of 2 GiB */
export function fileBytes(graph: Graph, { name, licence, direction, details }: FileFacts): Uint8Array {
  return writeOnnx(graph, {
    metadata: {
      name,
      direction,
      ...(licence === null ? {} : { licence }),
      tool: `${TOOL} ${TOOL_VERSION}`,
      ...detailsToMetadata(details),
    },
    producer: { name: TOOL, version: TOOL_VERSION },
  });
}

export type FileFields = Pick<
  ModelEntry,
  'direction' | 'precision' | 'file' | 'bytes' | 'sha256' | 'opset' | 'irVersion' | 'sizeMultiple' | 'minSize'
>;

export function fileFields(
  bytes: Uint8Array,
  { direction, precision, file, sha256 }: Pick<FileFields, 'direction' | 'precision' | 'file' | 'sha256'>,
  { sizeMultiple, minSize }: ImageSizes,
): FileFields {
  return {
    direction,
    precision,
    file,
    bytes: bytes.length,
    sha256,
    opset: OPSET,
    irVersion: IR_VERSION,
    sizeMultiple,
    minSize,
  };
}

/** What an entry of `models` says of the file's input and output. */
export function endsOf(
  graph: Graph,
  { inputChannels, outputChannels }: PreparedModel,
): Pick<ModelEntry, 'input' | 'output'> {
  const tensor = { layout: 'NCHW', dtype: 'float32', range: [-1, 1] } satisfies Partial<ModelEntry['input']>;
  return {
    input: { name: graph.inputs[0]?.name ?? '', channels: inputChannels, ...tensor },
    output: { name: graph.outputs[0]?.name ?? '', channels: outputChannels, ...tensor },
  };
}

/** Of a model that nothing was measured on, as fp32. */
export const UNMEASURED: Pick<ModelEntry, 'quality' | 'speed'> = { quality: null, speed: [] };
