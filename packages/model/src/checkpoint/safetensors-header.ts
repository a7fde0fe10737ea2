/**
 * The header of a safetensors file (huggingface/safetensors, format 0.x): names, dtypes, shapes and places of the
 * tensors. Pure: bytes in, plain data out; what comes from outside is checked before any memory is taken for it.
 */
import { CycleganError } from '@cyclegan/runtime-core';
import { z } from 'zod';

/** The dtypes read and written, and how each is held in memory. F16 is held as its raw bits. */
export const arrayOf = {
  F32: Float32Array,
  F16: Uint16Array,
  I32: Int32Array,
  U8: Uint8Array,
} as const;

export type Dtype = keyof typeof arrayOf;
export type ArrayOf<D extends Dtype> = InstanceType<(typeof arrayOf)[D]>;

/** Where a tensor lies: bytes [begin, end) after the header. */
export interface Entry {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  /** In the order of the bytes; together they cover the data without gap or overlap. */
  readonly entries: readonly Entry[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** Header lengths above this are refused; the networks here need some 20 kB. */
export const MAX_HEADER_BYTES = 16 * 2 ** 20;

const size = z.number().int().nonnegative();
const entrySchema = z.strictObject({
  dtype: z.string().max(16),
  shape: z.array(size).max(16),
  data_offsets: z.tuple([size, size]),
});
const metadataSchema = z.record(z.string(), z.string());

/** Number of values of a shape; 1 for a scalar. */
export function elements(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/**
 * The bytes before the data: length and JSON, padded with spaces so that the data begins at a multiple of 8.
 * Tensors are placed in the order of `tensors`.
 */
export function encodeHeader(
  tensors: Iterable<{ name: string; dtype: Dtype; shape: readonly number[]; byteLength: number }>,
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const head: [string, unknown][] = Object.keys(metadata).length > 0 ? [['__metadata__', metadata]] : [];
  let begin = 0;
  for (const { name, dtype, shape, byteLength } of tensors) {
    head.push([name, { dtype, shape, data_offsets: [begin, begin + byteLength] }]);
    begin += byteLength;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(head)));
  const length = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(8 + length).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(json, 8);
  return bytes;
}

/**
 * The header length that the first eight bytes give.
 * @param fileBytes size of the whole file
 * @throws CycleganError `bundle` when the header would be too long or reach past the end
 */
export function headerLength(firstEight: Uint8Array, fileBytes: number, where: string): number {
  const length = new DataView(firstEight.buffer, firstEight.byteOffset, 8).getBigUint64(0, true);
  const most = Math.min(MAX_HEADER_BYTES, fileBytes - 8);
  if (length < 2n || length > BigInt(most)) {
    throw damaged(where, `a header of 2 to ${most} bytes`, `one of ${length}`);
  }
  return Number(length);
}

/**
 * Reads the JSON of a header and checks every place that it names.
 * @param dataBytes size of what follows the header
 * @throws CycleganError `bundle` naming the first thing that does not fit
 */
export function parseHeader(bytes: Uint8Array, dataBytes: number, where: string): Header {
  const { text, json } = parseJson(bytes, where);
  const { __metadata__: rawMetadata = {}, ...rest } = json;
  const metadata = metadataSchema.safeParse(rawMetadata);
  if (!metadata.success) throw damaged(where, '__metadata__ to map strings to strings', 'something else');
  const entries = Object.entries(rest)
    .map(([name, value]) => parseEntry(name, value, where))
    .sort((one, other) => one.begin - other.begin || one.end - other.end);
  if (countTopLevelKeys(text) !== Object.keys(json).length) {
    throw damaged(where, 'each name once', 'a name that occurs twice');
  }
  checkPlaces(entries, dataBytes, where);
  return { entries, metadata: metadata.data };
}

function parseJson(bytes: Uint8Array, where: string): { text: string; json: Record<string, unknown> } {
  let text: string;
  let json: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    json = JSON.parse(text);
  } catch (error) {
    throw damaged(where, 'a header in JSON', 'bytes that are not', error);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw damaged(where, 'a JSON object as header', Array.isArray(json) ? 'an array' : String(json));
  }
  return { text, json: json as Record<string, unknown> };
}

function parseEntry(name: string, value: unknown, where: string): Entry {
  const parsed = entrySchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const got = `${[name, ...(issue?.path ?? [])].join('.')}: ${issue?.message}`;
    throw damaged(where, 'dtype, shape and data_offsets for each tensor', got);
  }
  const { dtype, shape, data_offsets } = parsed.data;
  if (!isDtype(dtype))
    throw damaged(where, `dtype ${Object.keys(arrayOf).join(', ')}`, `${dtype} for ${name}`);
  return { name, dtype, shape, begin: data_offsets[0], end: data_offsets[1] };
}

/**
 * `JSON.parse` keeps the last of two equal keys without a word, so they are counted in the text. It is valid JSON
 * whose values at depth 1 are all objects: a string at that depth is a key.
 */
function countTopLevelKeys(json: string): number {
  let depth = 0;
  let keys = 0;
  for (let at = 0; at < json.length; at += 1) {
    const char = json[at];
    if (char === '{' || char === '[') depth += 1;
    else if (char === '}' || char === ']') depth -= 1;
    else if (char === '"') {
      if (depth === 1) keys += 1;
      for (at += 1; json[at] !== '"'; at += 1) if (json[at] === '\\') at += 1;
    }
  }
  return keys;
}

function checkPlaces(entries: readonly Entry[], dataBytes: number, where: string): void {
  let expected = 0;
  for (const { name, dtype, shape, begin, end } of entries) {
    if (begin !== expected || end < begin || end > dataBytes) {
      throw damaged(
        where,
        `${name} to begin at byte ${expected} and end by ${dataBytes}`,
        `[${begin}, ${end})`,
      );
    }
    const bytes = elements(shape) * arrayOf[dtype].BYTES_PER_ELEMENT;
    if (bytes !== end - begin) {
      throw damaged(where, `${bytes} bytes for ${name} (${dtype} [${shape.join(', ')}])`, `${end - begin}`);
    }
    expected = end;
  }
  if (expected !== dataBytes) throw damaged(where, `${expected} bytes of data`, `${dataBytes}`);
}

function isDtype(name: string): name is Dtype {
  return Object.hasOwn(arrayOf, name);
}

/** The error of a file that is no sound safetensors file. */
export function damaged(where: string, expected: string, got: string, cause?: unknown): CycleganError {
  return new CycleganError(
    'bundle',
    `[model] ${where}: expected ${expected}, got ${got}. The file is damaged or no safetensors file; take another copy.`,
    cause === undefined ? {} : { cause },
  );
}
