/**
 * What did not succeed: images that failed, each with its reason, and chunks that were given up. Lists them, and puts
 * them into the queue again.
 */
import type { Job } from 'bullmq';
import type { FleetContext } from './fleet.js';
import { chunkJob } from './jobs.js';
import { createLedger } from './ledger.js';
import { type Chunk, chunkSchema, type Failure } from './records.js';
import { findBatch } from './status.js';

export interface BatchFailures {
  batch: string;
  images: { name: string; place: string; reason: string; at: number }[];
  /** Whether there are more images than are listed. */
  more: boolean;
  chunks: { job: string; chunk: number | null; images: number; reason: string; attempts: number }[];
}

export interface RetryResult {
  batch: string;
  images: number;
  chunks: number;
}

const PAGE = 100;
const DEFAULT_LIMIT = 1000;

/** As `Fleet.failures` says. */
export async function listFailures(
  context: FleetContext,
  wanted: string,
  { limit = DEFAULT_LIMIT }: { limit?: number | undefined } = {},
): Promise<BatchFailures> {
  const { id, batch } = await findBatch(context, wanted);
  const listed: BatchFailures = { batch: id, images: [], more: false, chunks: [] };
  for await (const { input, image, reason, at } of createLedger({ ...context, batch: id }).failures()) {
    if (listed.images.length >= limit) {
      listed.more = true;
      break;
    }
    listed.images.push({ name: image[1], place: batch.inputs[input]?.place ?? '', reason, at });
  }
  listed.images.sort((a, b) => (a.name < b.name ? -1 : 1));
  for await (const { job, data } of deadChunks(context, id)) {
    listed.chunks.push({
      job: job.id ?? '',
      chunk: data.chunk,
      images: data.images.length,
      reason: job.failedReason ?? '',
      attempts: job.attemptsMade,
    });
  }
  return listed;
}

/** As `Fleet.retry` says. A failure is forgotten when its image succeeds, and not before. */
export async function retryBatch(context: FleetContext, wanted: string): Promise<RetryResult> {
  const { id, batch } = await findBatch(context, wanted);
  const { queue } = context;
  const ledger = createLedger({ ...context, batch: id });
  const chunks = await retryChunks(context, id);
  let images = 0;
  for await (const failures of groups(ledger.failures(), batch.chunk)) {
    const [first] = failures;
    if (!first) continue;
    const chunk: Chunk = {
      batch: id,
      chunk: null,
      input: first.input,
      images: failures.map(({ image }) => image),
    };
    const occasion = failures.map(({ image, at }) => `${image[0]} ${at}`).join();
    const { name, data, opts } = chunkJob(chunk, {}, occasion);
    await queue.add(name, data, opts);
    images += failures.length;
  }
  return { batch: id, images, chunks };
}

/** Each gets a new job before the old one goes, so that a kill in between loses nothing. */
async function retryChunks(context: FleetContext, batch: string): Promise<number> {
  const { queue, redis, keys } = context;
  const started = Date.now();
  const ledger = createLedger({ redis, keys, batch });
  let count = 0;
  let passed = 0;
  for (;;) {
    const jobs = await queue.getJobs(['failed'], passed, passed + PAGE - 1, true);
    if (jobs.length === 0) return count;
    for (const job of jobs) {
      const data = dataOf(job);
      // Not those either that failed again meanwhile, or this would never end.
      if (data?.batch !== batch || (job.finishedOn ?? 0) > started) {
        passed += 1;
        continue;
      }
      const { name, opts } = chunkJob(data, {}, `${job.id} ${job.finishedOn}`);
      await queue.add(name, data, { ...job.opts, jobId: opts.jobId });
      await job.remove();
      await ledger.revived(job.id ?? '');
      count += 1;
    }
  }
}

async function* deadChunks(
  { queue }: FleetContext,
  batch: string,
): AsyncGenerator<{ job: Job<Chunk>; data: Chunk }> {
  for (let from = 0; ; from += PAGE) {
    const jobs = await queue.getJobs(['failed'], from, from + PAGE - 1, true);
    if (jobs.length === 0) return;
    for (const job of jobs) {
      const data = dataOf(job);
      if (data?.batch === batch) yield { job, data };
    }
  }
}

/** Undefined for a job that is none of ours, or was taken away meanwhile. */
function dataOf(job: Job<Chunk> | undefined): Chunk | undefined {
  return chunkSchema.safeParse(job?.data).data;
}

/** Failures of one input each, in groups of at most `size`. */
async function* groups(failures: AsyncIterable<Failure>, size: number): AsyncGenerator<Failure[]> {
  const open = new Map<number, Failure[]>();
  for await (const failure of failures) {
    const group = [...(open.get(failure.input) ?? []), failure];
    if (group.length === size) {
      yield group;
      open.delete(failure.input);
    } else open.set(failure.input, group);
  }
  yield* open.values();
}
