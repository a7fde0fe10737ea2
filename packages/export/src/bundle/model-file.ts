/** A graph as the bytes of a bundle's file, and what a manifest's entry says of every file. Writes nothing to disk. */
import { createHash } from 'node:crypto';
import { type Graph, IR_VERSION, OPSET, writeOnnx } from '@cyclegan/graph';
import type { Direction, Manifest, ModelEntry, Precision } from '@cyclegan/runtime-core';
import type { ImageSizes } from '../image-sizes.js';
import { detailsToMetadata, type SourceDetails } from '../source/source-details.js';
import { TOOL, toolVersion } from '../version.js';

/** What goes into the metadata of every file of a bundle. */
export interface FileFacts extends Pick<Manifest, 'name' | 'licence'> {
  readonly direction: Direction;
  readonly details: SourceDetails;
}

/** @throws GraphError above protobuf's limit of 2 GiB */
export function fileBytes(graph: Graph, { name, licence, direction, details }: FileFacts): Uint8Array {
  const version = toolVersion();
  return writeOnnx(graph, {
    metadata: {
      name,
      direction,
      ...(licence === null ? {} : { licence }),
      tool: `${TOOL} ${version}`,
      ...detailsToMetadata(details),
    },
    producer: { name: TOOL, version },
  });
}

export type FileFields = Pick<
  ModelEntry,
  'direction' | 'precision' | 'file' | 'bytes' | 'sha256' | 'opset' | 'irVersion' | 'sizeMultiple' | 'minSize'
>;

export function fileFields(
  bytes: Uint8Array,
  { direction, precision, file }: { direction: Direction; precision: Precision; file: string },
  { sizeMultiple, minSize }: ImageSizes,
): FileFields {
  return {
    direction,
    precision,
    file,
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    opset: OPSET,
    irVersion: IR_VERSION,
    sizeMultiple,
    minSize,
  };
}
