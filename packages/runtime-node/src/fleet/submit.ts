/**
 * A batch into the queue: chunks of references, page by page, so that a million images need no more memory here than
 * one folder's names. What makes it safe to repeat are names that follow from content.
 */
import { hash } from 'node:crypto';
import {
  CycleganError,
  type Direction,
  type Precision,
  selectModel,
  throwIfAborted,
} from '@cyclegan/runtime-core';
import { readBundle } from '../translator/bundle.js';
import type { FleetContext } from './fleet.js';
import { chunkJob, type JobSettings } from './jobs.js';
import { createLedger } from './ledger.js';
import {
  assertNoInputReplaced,
  createFingerprint,
  type Listed,
  listImages,
  planSources,
  referenceTo,
} from './listing.js';
import {
  type Batch,
  batchSchema,
  type Chunk,
  type FleetOptions,
  MOST_IMAGES,
  optionsSchema,
} from './records.js';
import { openStorages, placeOf, type StorageOptions } from './storage/index.js';

export interface SubmitOptions extends StorageOptions, JobSettings {
  /** The bundle's folder on this machine; workers have their own copy. */
  bundle: string;
  direction?: Direction | undefined;
  /** Left out: the one most like fp32, so that all workers compute the same. */
  precision?: Precision | undefined;
  /** Folders, files, `s3://bucket/prefix`. */
  inputs: readonly string[];
  /** A folder or `s3://bucket/prefix`. */
  out: string;
  /** For people; default: the name of the first input. */
  name?: string | undefined;
  /** Images of a chunk, 1 to 10,000; default 32. */
  chunk?: number | undefined;
  options?: FleetOptions | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: { stage: 'list' | 'add'; done: number; total?: number }) => void) | undefined;
}

export interface SubmitResult {
  batch: string;
  name: string;
  images: number;
  chunks: number;
  /** Chunks that were added now; the others were in the queue or through already. */
  added: number;
}

/** Chunks that go to Redis together. */
const PAGE = 200;
const DEFAULT_CHUNK = 32;
const MOST_IN_CHUNK = 10_000;

/** As `Fleet.submit` says. */
export async function submitBatch(context: FleetContext, submitted: SubmitOptions): Promise<SubmitResult> {
  const { chunk = DEFAULT_CHUNK } = submitted;
  assertChunk(chunk);
  const options = parseOptions(submitted.options);
  const { manifest } = await readBundle(submitted.bundle);
  const { direction, precision, sha256 } = selectModel(manifest, submitted);
  const out = placeOf(submitted.out, submitted);
  const sources = await planSources(submitted.inputs, { ...submitted, format: options.format });
  await assertNoInputReplaced(sources, out, submitted);
  const storages = openStorages(submitted);
  try {
    await (await storages.open(out)).prepare();
    const list = () => listImages(sources, { ...submitted, storages, out, format: options.format });
    const { content, ...counts } = await count(list(), chunk, submitted);
    const batch: Batch = {
      version: 1,
      name: submitted.name ?? nameOf(submitted.inputs),
      model: { bundle: manifest.name, direction, precision, sha256 },
      options,
      inputs: sources.map(({ place, under }) => ({ place, under })),
      out,
      ...counts,
      chunk,
      createdAt: Date.now(),
    };
    const id = idOf(batch, content);
    await register(context, id, batchSchema.parse(batch));
    const added = await addAll(context, id, { images: list(), content, batch, submitted });
    return { batch: id, name: batch.name, ...counts, added };
  } finally {
    storages.dispose();
  }
}

/** Lists all once, to know how much there is and to tell it from anything else. */
async function count(images: AsyncIterable<Listed>, chunk: number, { signal, onProgress }: SubmitOptions) {
  const fingerprint = createFingerprint();
  const counts = { images: 0, chunks: 0 };
  for await (const each of chunksOf(images, { batch: '', chunk, onImage: fingerprint.add })) {
    throwIfAborted(signal, '[fleet] submit');
    counts.images += each.images.length;
    counts.chunks += 1;
    onProgress?.({ stage: 'list', done: counts.images });
    if (counts.images > MOST_IMAGES) {
      throw new CycleganError(
        'input',
        `[fleet] inputs: expected at most ${MOST_IMAGES} images, got more. Submit them in parts.`,
      );
    }
  }
  return { ...counts, content: fingerprint.digest() };
}

/** Lists them again and adds them. @returns how many chunks were not there */
async function addAll(
  context: FleetContext,
  id: string,
  what: { images: AsyncIterable<Listed>; content: string; batch: Batch; submitted: SubmitOptions },
): Promise<number> {
  const { images, content, batch, submitted } = what;
  const fingerprint = createFingerprint();
  let [added, done] = [0, 0];
  const chunks = chunksOf(images, { batch: id, chunk: batch.chunk, onImage: fingerprint.add });
  for await (const page of pagesOf(chunks)) {
    throwIfAborted(submitted.signal, '[fleet] submit');
    added += await addPage(context, id, page, submitted);
    done += page.reduce((sum, each) => sum + each.images.length, 0);
    submitted.onProgress?.({ stage: 'add', done, total: batch.images });
  }
  if (fingerprint.digest() !== content) {
    throw new CycleganError(
      'input',
      `[fleet] ${submitted.inputs.join(', ')}: expected inputs that stay as they are while they are listed, got others the second time. Cancel batch ${id}, and submit again when they rest.`,
    );
  }
  await context.redis.hset(context.keys.of(id).batch, 'state', 'submitted');
  // Where all had been through before, nobody else will end it.
  if (added === 0) await createLedger({ ...context, batch: id }).chunkDone(null);
  return added;
}

function assertChunk(chunk: number): void {
  if (Number.isSafeInteger(chunk) && chunk >= 1 && chunk <= MOST_IN_CHUNK) return;
  throw new CycleganError(
    'usage',
    `[fleet] chunk: expected a whole number from 1 to ${MOST_IN_CHUNK}, got ${chunk}. Leave it out for ${DEFAULT_CHUNK}.`,
  );
}

function parseOptions(options: FleetOptions | undefined): Batch['options'] {
  const parsed = optionsSchema.safeParse(options ?? {});
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new CycleganError(
    'usage',
    `[fleet] ${issue?.path.join('.')}: expected another value, got one that is not valid (${issue?.message}). See \`cyclegan submit --help\`.`,
  );
}

function nameOf(inputs: readonly string[]): string {
  const [first = ''] = inputs;
  return (
    first
      .replace(/[/\\]+$/, '')
      .split(/[/\\]/)
      .at(-1)
      ?.slice(0, 200) || 'batch'
  );
}

/** The same for the same work, on any machine; a name is for people and changes nothing. */
function idOf({ model, options, inputs, out, chunk }: Batch, content: string): string {
  return hash('sha256', JSON.stringify([model.sha256, options, inputs, out, chunk, content])).slice(0, 16);
}

async function* chunksOf(
  images: AsyncIterable<Listed>,
  options: { batch: string; chunk: number; onImage: (image: Listed) => void },
): AsyncGenerator<Chunk> {
  const { batch, chunk, onImage } = options;
  let index = 0;
  let number = 0;
  let current: Chunk | undefined;
  for await (const image of images) {
    onImage(image);
    if (current && (current.input !== image.input || current.images.length === chunk)) {
      yield current;
      current = undefined;
    }
    if (!current) {
      current = { batch, chunk: number, input: image.input, images: [] };
      number += 1;
    }
    current.images.push(referenceTo(index, image));
    index += 1;
  }
  if (current) yield current;
}

async function* pagesOf(chunks: AsyncIterable<Chunk>): AsyncGenerator<Chunk[]> {
  let page: Chunk[] = [];
  for await (const chunk of chunks) {
    page.push(chunk);
    if (page.length < PAGE) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

/** A batch that is there already keeps its books; one that was cancelled goes on. */
async function register({ redis, keys }: FleetContext, id: string, batch: Batch): Promise<void> {
  const key = keys.of(id);
  await redis.hsetnx(key.batch, 'record', JSON.stringify(batch));
  await redis.hset(key.batch, 'state', 'submitting', 'images', batch.images);
  await redis.zadd(keys.batches, 'NX', batch.createdAt, id);
  for (const each of Object.values(key)) await redis.persist(each);
}

/** @returns how many of the page were not there */
async function addPage(
  { redis, queue, keys }: FleetContext,
  id: string,
  page: readonly Chunk[],
  settings: JobSettings,
): Promise<number> {
  const jobs = page.map((chunk) => chunkJob(chunk, settings));
  const pipeline = redis.pipeline();
  for (const { data, opts } of jobs) {
    pipeline.getbit(keys.of(id).chunks, data.chunk ?? 0).exists(queue.toKey(opts.jobId));
  }
  const answers = (await pipeline.exec()) ?? [];
  const missing = jobs.filter((_, i) => {
    const [through, waiting] = answers.slice(2 * i, 2 * i + 2);
    return through?.[1] === 0 && waiting?.[1] === 0;
  });
  if (missing.length > 0) await queue.addBulk(missing);
  return missing.length;
}
