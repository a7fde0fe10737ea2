/**
 * A request's image and what is asked for it, from a raw body, a form or JSON. Never fetches an address, and does not
 * look into the image.
 */
import type { Direction, Precision } from '@cyclegan/runtime-core';
import type { MultipartFile, MultipartValue } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import type { ImageOptions } from '../images/translate-image.js';
import type { Share } from './budget.js';
import { wrongOption } from './errors.js';
import { Problem } from './problem.js';
import { readBody, tooManyBytes } from './read-body.js';
import type { optionsSchema } from './schemas.js';

export interface AskedOptions extends Pick<ImageOptions, 'format' | 'quality' | 'metadata' | 'profile'> {
  direction?: Direction;
  precision?: Precision;
}

export interface ImageRequest {
  bytes: Buffer;
  /** As the query has them, and over it the form or the JSON. */
  options: AskedOptions;
}

export interface ReadOptions {
  imageBytes: number;
  share: Share;
  signal: AbortSignal;
  schema: ReturnType<typeof optionsSchema>;
}

/** What a form and JSON may have beside the image, and the names and signs around it. */
const EXTRA_BYTES = 8192;
const FORM_LIMITS = { files: 1, fields: 16, parts: 17, fieldSize: 256, fieldNameSize: 64, headerPairs: 16 };

/** Bytes of a whole body of the type, for an image of the size that is allowed. */
export function bodyLimit(contentType: string | undefined, imageBytes: number): number {
  if (isJson(contentType)) return Math.ceil(imageBytes / 3) * 4 + EXTRA_BYTES;
  return contentType?.toLowerCase().startsWith('multipart/') ? imageBytes + EXTRA_BYTES : imageBytes;
}

/** Names of types are the same in any case. */
function isJson(contentType: string | undefined): boolean {
  return contentType?.toLowerCase().startsWith('application/json') === true;
}

/**
 * Reads the body; its type has been found to be one of those that are taken.
 * @throws Problem 400 for a form or JSON that is not as expected, and as `readBody`
 */
export async function readImageRequest(request: FastifyRequest, options: ReadOptions): Promise<ImageRequest> {
  const query = request.query as AskedOptions;
  const { bytes, fields } = await readParts(request, options);
  if (bytes.length === 0) throw new Problem(400, 'bad-request', 'Expected an image, got an empty body.');
  const validate =
    request.getValidationFunction(options.schema) ?? request.compileValidationSchema(options.schema);
  if (!validate(fields)) throw wrongOption(validate.errors ?? []);
  return { bytes, options: { ...query, ...fields } };
}

interface Parts {
  bytes: Buffer;
  fields: Record<string, unknown>;
}

async function readParts(request: FastifyRequest, options: ReadOptions): Promise<Parts> {
  if (request.isMultipart()) return readForm(request, options);
  const type = request.headers['content-type'];
  const limit = bodyLimit(type, options.imageBytes);
  const bytes = await readBody(request.raw, { ...options, limit });
  return isJson(type) ? parseJson(bytes, options.imageBytes) : { bytes, fields: {} };
}

async function readForm(request: FastifyRequest, options: ReadOptions): Promise<Parts> {
  const fields: Record<string, unknown> = {};
  let bytes: Buffer | undefined;
  // One byte more than is allowed, so that the refusal is ours.
  const limits = { ...FORM_LIMITS, fileSize: options.imageBytes + 1 };
  try {
    for await (const part of request.parts({ limits })) {
      if (isFile(part)) {
        const file = await readBody(part.file, { ...options, limit: options.imageBytes });
        if (part.fieldname !== 'image') throw notOneFile();
        bytes = file;
      } else {
        fields[part.fieldname] = part.value;
      }
    }
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem(400, 'bad-request', 'Expected a whole, well-formed form with one file.', {
      cause: error,
    });
  }
  if (!bytes) throw notOneFile();
  return { bytes, fields };
}

function isFile(part: MultipartFile | MultipartValue): part is MultipartFile {
  return part.type === 'file';
}

function notOneFile(): Problem {
  return new Problem(400, 'bad-request', 'Expected a form with one file, in its field image.');
}

function parseJson(text: Buffer, imageBytes: number): Parts {
  const { image, ...fields } = parseObject(text);
  if (typeof image !== 'string') throw notBase64();
  const bytes = Buffer.from(image, 'base64');
  // Node passes over what is not base64, which makes the result shorter.
  const length = Math.floor((image.replace(/={1,2}$/, '').length * 3) / 4);
  if (bytes.length !== length) throw notBase64();
  if (bytes.length > imageBytes) throw tooManyBytes(imageBytes);
  return { bytes, fields };
}

function parseObject(text: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text.toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // Said below.
  }
  throw new Problem(400, 'bad-request', 'Expected a JSON object, as { "image": "…base64…" }.');
}

function notBase64(): Problem {
  return new Problem(
    400,
    'bad-request',
    'Expected the image in base64, without line breaks, in the field image.',
  );
}
