/** The JSON schemas of what comes in and goes out: requests are checked by them, and the OpenAPI document shows them. */
import type { Manifest } from '@cyclegan/runtime-core';
import { IMAGE_FORMATS } from './negotiate.js';
import { PROBLEM_TYPE } from './problem.js';

type Schema = Readonly<Record<string, unknown>>;

/** What a request may ask for beside its image; the same names in the query, in a form and in JSON. */
export function optionsSchema(manifest: Manifest) {
  return {
    type: 'object',
    additionalProperties: false,
    properties: {
      direction: {
        type: 'string',
        enum: [...new Set(manifest.models.map(({ direction }) => direction))],
        description: 'Which way to translate.',
      },
      precision: {
        type: 'string',
        enum: [...new Set(manifest.models.map(({ precision }) => precision))],
        description: "Which of the models; left out, the one that the bundle's figures speak for.",
      },
      format: {
        type: 'string',
        enum: ['keep', ...IMAGE_FORMATS],
        description: 'Of the answer; left out, what Accept prefers, or else the format that was sent.',
      },
      quality: { type: 'integer', minimum: 1, maximum: 100, description: 'Of JPEG, WebP and AVIF.' },
      metadata: {
        type: 'string',
        enum: ['strip', 'keep'],
        description: 'EXIF, XMP and IPTC; stripped if left out.',
      },
      profile: {
        type: 'string',
        enum: ['srgb', 'keep'],
        description: "keep: written in the image's own ICC profile; sRGB if left out.",
      },
    },
  } as const;
}

const problem = {
  type: 'object',
  required: ['type', 'title', 'status', 'code', 'detail'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', description: 'What went wrong, for programs.' },
    detail: { type: 'string', description: 'What went wrong, in a sentence.' },
    requestId: { type: 'string', description: "As in the X-Request-Id header and the server's log." },
  },
};

const retryAfter = {
  'Retry-After': { schema: { type: 'integer' }, description: 'Seconds after which to try again.' },
};

/** Answers that tell of a problem, for OpenAPI. */
export function problems(statuses: Readonly<Record<number, string>>): Record<string, Schema> {
  return Object.fromEntries(
    Object.entries(statuses).map(([status, description]) => [
      status,
      {
        description,
        content: { [PROBLEM_TYPE]: { schema: problem } },
        ...(status === '503' && { headers: retryAfter }),
      },
    ]),
  );
}

/** The JSON form of a translated image. */
export const translatedImage = {
  type: 'object',
  required: ['image', 'type', 'width', 'height', 'frames', 'direction', 'precision', 'ms'],
  properties: {
    image: { type: 'string', contentEncoding: 'base64' },
    type: { type: 'string', description: 'The media type, as image/png.' },
    width: { type: 'integer' },
    height: { type: 'integer' },
    frames: { type: 'integer', description: '1 for a still image.' },
    direction: { type: 'string' },
    precision: { type: 'string' },
    ms: {
      type: 'object',
      description: 'Milliseconds of each stage.',
      properties: {
        decode: { type: 'number' },
        wait: { type: 'number' },
        run: { type: 'number' },
        encode: { type: 'number' },
      },
    },
  },
} as const;

/** Of the probes. */
export const status = {
  type: 'object',
  required: ['status'],
  properties: { status: { type: 'string', enum: ['ok', 'ready'] } },
} as const;

/** What the server is, for programs that call it. */
export const serverInfo = {
  type: 'object',
  required: [
    'name',
    'state',
    'direction',
    'directions',
    'precisions',
    'models',
    'formats',
    'running',
    'limits',
  ],
  properties: {
    name: { type: 'string', description: "The bundle's." },
    state: { type: 'string', enum: ['loading', 'ready', 'closing'] },
    direction: { type: 'string', description: 'Of requests that name none.' },
    directions: { type: 'array', items: { type: 'string' } },
    precisions: { type: 'array', items: { type: 'string' } },
    models: {
      type: 'array',
      items: {
        type: 'object',
        required: ['direction', 'precision'],
        properties: { direction: { type: 'string' }, precision: { type: 'string' } },
      },
    },
    formats: { type: 'array', items: { type: 'string', enum: IMAGE_FORMATS } },
    running: {
      type: ['object', 'null'],
      description: 'What runs requests that ask for nothing else; null until it is loaded.',
      properties: {
        direction: { type: 'string' },
        precision: { type: 'string' },
        device: { type: 'string' },
        threads: { type: 'integer' },
        workers: { type: 'integer' },
      },
    },
    limits: {
      type: 'object',
      required: ['imageBytes', 'pixels', 'seconds'],
      properties: {
        imageBytes: { type: 'integer' },
        pixels: { type: 'integer' },
        seconds: { type: 'integer', description: "From an image's arrival to its answer." },
      },
    },
  },
} as const;
