/** What a chunk is as BullMQ's job: its name, and how it is tried again. */
import { hash } from 'node:crypto';
import type { BulkJobOptions } from 'bullmq';
import type { Chunk } from './records.js';

export interface JobSettings {
  /** How often a chunk is tried when storage or a device fails, before it becomes a dead letter; default 5. */
  attempts?: number | undefined;
  /** Milliseconds until the second try, doubled with each further one, up to half of it by chance; default 2000. */
  retryDelayMs?: number | undefined;
}

export interface ChunkJob {
  name: string;
  data: Chunk;
  opts: BulkJobOptions & { jobId: string };
}

/**
 * The job of a chunk. Of two with the same id the second is not added.
 * @param occasion distinguishes a later try of the same images from the first
 */
export function chunkJob(data: Chunk, settings: JobSettings = {}, occasion?: string): ChunkJob {
  const { attempts = 5, retryDelayMs = 2000 } = settings;
  const suffix = occasion === undefined ? '' : `-${hash('sha256', occasion).slice(0, 12)}`;
  return {
    name: 'chunk',
    data,
    opts: {
      jobId: `${data.batch}-${data.chunk ?? 'again'}${suffix}`,
      attempts,
      backoff: { type: 'exponential', delay: retryDelayMs, jitter: 0.5 },
      removeOnComplete: true,
      removeOnFail: false,
      // Reasons are sentences; stacks would only fill Redis.
      stackTraceLimit: 0,
    },
  };
}
