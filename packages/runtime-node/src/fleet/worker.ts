/**
 * A worker: takes chunks of its bundle from the queue and runs them. Images are computed in the translator's own
 * threads, so that this thread always has time to renew its locks on the chunks in hand.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { CycleganError, type Manifest, selectModel } from '@cyclegan/runtime-core';
import { DelayedError, type Job, WaitingError, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import pLimit from 'p-limit';
import { workersFor } from '../files/workers-for.js';
import { createTranslators, type TranslatorSettings } from '../server/translators.js';
import { readBundle } from '../translator/bundle.js';
import { type ImageOutcome, runChunk } from './chunk.js';
import { connectFleet, type FleetConnectionOptions } from './fleet.js';
import { startHeartbeat } from './heartbeat.js';
import { createLedger } from './ledger.js';
import { createOutputs } from './outputs.js';
import { type Batch, type Chunk, chunkSchema, PREFIX, readRecord } from './records.js';
import { readBatch } from './status.js';
import { openStorages, type StorageOptions } from './storage/index.js';

export interface FleetWorkerOptions extends FleetConnectionOptions, StorageOptions, TranslatorSettings {
  /** The bundle's folder. */
  bundle: string;
  /** Images in hand at a time, 1 to 256; default: two for each of the translator's workers, and two to be read and written. */
  concurrency?: number | undefined;
  /** Milliseconds for which `stop` goes on with the chunks in hand; default 0: only the images in hand are finished. */
  shutdownTimeoutMs?: number | undefined;
  /** Milliseconds without a sign of life after which others take up this worker's chunks; default 30,000. */
  lockMs?: number | undefined;
  onImage?: ((outcome: ImageOutcome) => void) | undefined;
}

export interface FleetWorker {
  readonly id: string;
  /** The device that it computes on. */
  readonly device: string;
  /**
   * Finishes the images in hand, gives the rest of their chunks back, and frees all. Idempotent.
   * @returns false when Redis has been away for five seconds, so that nothing could be given back: others will take it
   * up, and the process should end
   */
  stop(): Promise<boolean>;
}

/** So that one chunk is read while another is computed. */
const CHUNKS_IN_HAND = 2;
/** How often a chunk may lose its worker before it is a dead letter; its single images are given up sooner. */
const MOST_STALLS = 20;
/** Until a chunk of another bundle is offered again. */
const FOREIGN_DELAY_MS = 30_000;
/** The rest of a worker after a chunk that it could not do, doubled with each further one in a row. */
const REST_MS = 1000;
/** Of Redis, when a worker is to end. */
const LONGEST_AWAY_MS = 5000;
const LONGEST_REST_MS = 60_000;

/**
 * Opens the bundle, which must run here, and begins.
 * @throws CycleganError `bundle`, `device`, `unavailable`, `usage`
 */
export async function startFleetWorker(options: FleetWorkerOptions): Promise<FleetWorker> {
  // There is always more to come, so that as many pay as ever do.
  const { workers = workersFor(Number.POSITIVE_INFINITY, options.threads) } = options;
  const { concurrency = 2 * workers + 2, shutdownTimeoutMs = 0, lockMs = 30_000, onNote } = options;
  assertConcurrency(concurrency);
  const { manifest } = await readBundle(options.bundle);
  const context = await connectFleet(options);
  const translators = createTranslators(options.bundle, { ...options, workers });
  const storages = openStorages(options);
  const id = randomUUID();
  const { redis, keys, queue } = context;
  const refused = new Set<string>();
  const stopping = new AbortController();
  let deadline = Number.POSITIVE_INFINITY;
  let unable = 0;

  /** So that one machine in trouble does not use up the attempts of everybody's chunks. */
  async function rest(): Promise<void> {
    const milliseconds = Math.min(REST_MS * 2 ** unable, LONGEST_REST_MS);
    unable += 1;
    await pause(milliseconds, undefined, { signal: stopping.signal }).catch(() => {});
  }

  async function free(): Promise<void> {
    await translators.dispose();
    storages.dispose();
    await queue.close();
    redis.disconnect();
  }

  const { direction, precision } = selectModel(manifest, {});
  const device = await translators
    .use({ direction, precision }, async ({ info }) => info.device)
    .catch(async (error: unknown) => {
      await free();
      throw error;
    });
  const heartbeat = await startHeartbeat({ redis, keys, id, bundle: manifest.name, device });
  const limit = pLimit(concurrency);

  async function process(job: Job<Chunk>, token?: string): Promise<void> {
    try {
      await run(job, token);
      unable = 0;
    } catch (error) {
      if (!(error instanceof WaitingError || error instanceof DelayedError)) await rest();
      throw error;
    }
  }

  async function run(job: Job<Chunk>, token?: string): Promise<void> {
    const chunk = readRecord(chunkSchema, job.data, `job ${job.id}`);
    const batch = await readBatch(context, chunk.batch);
    const ledger = createLedger({ redis, keys, batch: chunk.batch });
    // Cancelled, or so old that nothing is known of it.
    if (!batch || (await ledger.state()) === 'cancelled') return;
    if (!isOf(manifest, batch)) return await giveBack(job, batch, token);
    const input = batch.inputs[chunk.input];
    if (!input)
      throw new CycleganError(
        'input',
        `[fleet] job ${job.id}: expected one of the batch's inputs, got none. Submit it again.`,
      );
    const from = await storages.open(input.place);
    const to = await storages.open(batch.out);
    const ended = await translators.use(batch.model, (translator) =>
      runChunk({
        id: chunk.batch,
        batch,
        chunk,
        translator,
        from,
        to,
        ledger,
        outputs: createOutputs({ redis, place: batch.out }),
        limit,
        mayBegin: () => performance.now() < deadline,
        last: job.attemptsMade + 1 >= (job.opts.attempts ?? 1),
        onImage(outcome) {
          heartbeat.count(chunk.batch, outcome);
          options.onImage?.(outcome);
        },
      }),
    );
    if (ended === 'through') await ledger.chunkDone(chunk.chunk);
    if (ended === 'rest') {
      await job.moveToWait(token);
      throw new WaitingError();
    }
  }

  /** Nobody's fault, so that it costs the chunk no attempt. */
  async function giveBack(job: Job<Chunk>, { name, model }: Batch, token: string | undefined): Promise<void> {
    if (!refused.has(model.sha256)) {
      refused.add(model.sha256);
      onNote?.(
        `[fleet] batch ${name}: expected a batch for this bundle, ${manifest.name}, got one for ${model.bundle} (${model.direction} ${model.precision}, ${model.sha256.slice(0, 12)}); it is left to others. Give each bundle a --queue of its own.`,
      );
    }
    await rest();
    await job.moveToDelayed(Date.now() + FOREIGN_DELAY_MS, token);
    throw new DelayedError();
  }

  const worker = new Worker<Chunk>(queue.name, process, {
    connection: redis,
    prefix: PREFIX,
    skipVersionCheck: true,
    concurrency: CHUNKS_IN_HAND,
    lockDuration: lockMs,
    stalledInterval: lockMs,
    maxStalledCount: MOST_STALLS,
    name: id,
  });
  // What a lost connection breaks is taken up again, and the connection tells of itself.
  worker.on('error', () => {});
  worker.on('stalled', (job) =>
    onNote?.(`[fleet] chunk ${job}: its worker gave no sign of life; it goes to another.`),
  );
  worker.on('failed', (job, error) => {
    if (!job) return;
    const given = job.finishedOn !== undefined && job.finishedOn !== null;
    onNote?.(`${error.message} (chunk ${job.id}, ${given ? 'given up' : 'tried again later'})`);
    const chunk = chunkSchema.safeParse(job.data).data;
    if (!given || !chunk) return;
    void createLedger({ redis, keys, batch: chunk.batch }).dead(job.id ?? '', chunk.images.length);
  });

  let stopped: Promise<boolean> | undefined;
  return {
    id,
    device,
    stop() {
      stopped ??= (async () => {
        deadline = performance.now() + shutdownTimeoutMs;
        stopping.abort();
        // What waits for Redis cannot be taken back: it goes on when Redis does, or ends with the process.
        if (!(await endsBefore(worker.close(), redis))) return false;
        await heartbeat.stop();
        await free();
        return true;
      })();
      return stopped;
    },
  };
}

/** @returns false when Redis is away for too long first */
async function endsBefore(ending: Promise<void>, redis: Redis): Promise<boolean> {
  const ended = ending.then(() => true);
  for (let away = 0; away < LONGEST_AWAY_MS; away = redis.status === 'ready' ? 0 : away + 100) {
    if (await Promise.race([ended, pause(100, false)])) return true;
  }
  return false;
}

/** Whether the bundle has the very model that the batch wants. */
function isOf(manifest: Manifest, { model }: Batch): boolean {
  return manifest.models.some(
    ({ direction, precision, sha256 }) =>
      direction === model.direction && precision === model.precision && sha256 === model.sha256,
  );
}

function assertConcurrency(concurrency: number): void {
  if (Number.isSafeInteger(concurrency) && concurrency >= 1 && concurrency <= 256) return;
  throw new CycleganError(
    'usage',
    `[fleet] concurrency: expected a whole number from 1 to 256, got ${concurrency}. Leave it out for the default.`,
  );
}
