/**
 * What a bundle's file keeps of how its source was read, in the metadata of the ONNX file: what `verify` needs to hold
 * the source against it.
 */
import { z } from 'zod';
import type { ValueRange } from '../bundle/model-interface.js';
import { parseJson } from '../parse-json.js';

export interface SourceDetails {
  /** The values of black and white that the source itself takes and gives. */
  readonly range: ValueRange;
  /** Its image input and output, where they were named. */
  readonly input?: string | undefined;
  readonly output?: string | undefined;
  /** Its dictionary in a file of several networks, where that was named. */
  readonly key?: string | undefined;
}

const KEY = 'source';

const schema = z.object({
  range: z.tuple([z.number(), z.number()]),
  input: z.string().optional(),
  output: z.string().optional(),
  key: z.string().optional(),
});

/** As ONNX metadata. */
export function detailsToMetadata(details: SourceDetails): Record<string, string> {
  return { [KEY]: JSON.stringify(details) };
}

/** What {@link detailsToMetadata} wrote; the plain case for files without it. */
export function detailsFromMetadata(metadata: Readonly<Record<string, string>>): SourceDetails {
  const parsed = schema.safeParse(parseJson(metadata[KEY]));
  return parsed.success ? parsed.data : { range: [-1, 1] };
}
