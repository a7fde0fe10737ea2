/**
 * What the fleet keeps in Redis: the shapes of its records, their checks, and the names of their keys. All that is
 * read back passes a schema, for others may write there too. Opens no connection.
 */
import { CycleganError, directionSchema, precisionSchema } from '@cyclegan/runtime-core';
import { z } from 'zod';

/** Before every key of a fleet. */
export const PREFIX = 'cyclegan';

/** Seconds that a batch's records stay when it has ended, and what is known of outputs after the last one. */
export const KEPT_SECONDS = 30 * 24 * 3600;

/** Bits of one Redis string, which counts the images of a batch. */
export const MOST_IMAGES = 2 ** 32 - 1;

/** Below a storage, in slashes on every system. */
const name = z.string().min(1).max(1024);
/** `s3://bucket/prefix/`, `file:///folder/`, or `shared:folder/`, which is below each machine's own root. */
const place = z.string().min(1).max(4096);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** What of a translation is the same on every worker; part of its key. */
export const optionsSchema = z.object({
  format: z.enum(['keep', 'png', 'jpg', 'webp', 'avif', 'tiff', 'gif']).default('keep'),
  quality: z.number().int().min(1).max(100).optional(),
  size: z.object({ width: z.number().int().positive(), height: z.number().int().positive() }).optional(),
  metadata: z.enum(['strip', 'keep']).default('strip'),
  profile: z.enum(['srgb', 'keep']).default('srgb'),
  background: z.string().max(100).optional(),
  smoothing: z.number().min(0).lt(1).optional(),
});

export const batchSchema = z.object({
  version: z.literal(1),
  name: z.string().max(200),
  model: z.object({
    bundle: z.string().max(200),
    direction: directionSchema,
    precision: precisionSchema,
    sha256,
  }),
  options: optionsSchema,
  /** `under` is the folder below `out` where an input's translations go; empty for `out` itself. */
  inputs: z
    .array(z.object({ place, under: z.string().max(1024) }))
    .min(1)
    .max(100_000),
  out: place,
  images: z.number().int().positive().max(MOST_IMAGES),
  chunks: z.number().int().positive(),
  /** Images of a full chunk. */
  chunk: z.number().int().positive(),
  /** Milliseconds since 1970. */
  createdAt: z.number(),
});

/** An image's number within its batch, its name below the input, and below the output where that is another one. */
const imageSchema = z.union([
  z.tuple([z.number().int().nonnegative(), name]),
  z.tuple([z.number().int().nonnegative(), name, name]),
]);

/** A job's payload: references alone, never bytes. */
export const chunkSchema = z.object({
  batch: z.string().min(1).max(100),
  /** Its number within the batch; null for images that are tried anew. */
  chunk: z.number().int().nonnegative().nullable(),
  /** Which of the batch's inputs the names are below. */
  input: z.number().int().nonnegative(),
  images: z.array(imageSchema).min(1).max(10_000),
});

export const failureSchema = z.object({
  input: z.number().int().nonnegative(),
  image: imageSchema,
  reason: z.string(),
  at: z.number(),
});

export const workerSchema = z.object({
  host: z.string(),
  pid: z.number(),
  bundle: z.string(),
  device: z.string(),
  startedAt: z.number(),
  /** Images finished since it started: translated, already there, failed. */
  done: z.number(),
  failed: z.number(),
  /** Images a second over the last minute, by batch. */
  rates: z.record(z.string(), z.number()),
});

/** As a caller gives them: what is left out has its default. */
export type FleetOptions = z.input<typeof optionsSchema>;
export type Batch = z.infer<typeof batchSchema>;
export type Chunk = z.infer<typeof chunkSchema>;
export type ImageReference = z.infer<typeof imageSchema>;
export type Failure = z.infer<typeof failureSchema>;
export type WorkerReport = z.infer<typeof workerSchema>;

/**
 * Parses what came from Redis.
 * @param what names it in the message
 * @throws CycleganError `input`
 */
export function readRecord<T>(schema: z.ZodType<T>, json: unknown, what: string): T {
  const parsed = schema.safeParse(typeof json === 'string' ? parseJson(json) : json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new CycleganError(
    'input',
    `[fleet] ${what}: expected a record of this version of cyclegan, got ${issue?.path.join('.') || 'one'} that is not valid (${issue?.message}). Use one version everywhere, or another queue.`,
    { cause: parsed.error },
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Of one batch. */
export interface BatchKeys {
  /** Hash: `record` (JSON), `state`, `images`, `done`, `finishedAt`. */
  batch: string;
  /** Bit by image: its output stands. */
  done: string;
  /** Bit by chunk: it has been through. */
  chunks: string;
  /** Hash by image: why it failed, JSON. */
  failed: string;
  /** Hash by image: how often it was begun and not ended. */
  begun: string;
  /** Hash by job: how many images a dead letter holds. */
  dead: string;
}

export interface Keys {
  of(batch: string): BatchKeys;
  /** Sorted set of ids, by time. */
  batches: string;
  /** Set of workers' ids. */
  workers: string;
  worker(id: string): string;
}

/** Keys of one queue; BullMQ's own begin with `cyclegan:QUEUE:`. */
export function keysOf(queue: string): Keys {
  const key = (...parts: string[]) => [`${PREFIX}-fleet`, queue, ...parts].join(':');
  const of = (id: string) => ({
    batch: key('batch', id),
    done: key('batch', id, 'done'),
    chunks: key('batch', id, 'chunks'),
    failed: key('batch', id, 'failed'),
    begun: key('batch', id, 'begun'),
    dead: key('batch', id, 'dead'),
  });
  return { of, batches: key('batches'), workers: key('workers'), worker: (id) => key('worker', id) };
}
