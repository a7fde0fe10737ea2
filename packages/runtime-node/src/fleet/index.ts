/**
 * Many machines, one queue: submitting batches, working on them, and seeing how they are doing. Needs `bullmq`,
 * `ioredis` and, for `s3://`, `@aws-sdk/client-s3` beside this package.
 */
export type { CancelResult } from './cancel.js';
export type { ImageOutcome } from './chunk.js';
export type { BatchFailures, RetryResult } from './dead-letters.js';
export { type Fleet, type FleetConnectionOptions, openFleet } from './fleet.js';
export type { FleetOptions } from './records.js';
export { connectRedis, DEFAULT_REDIS, type RedisOptions } from './redis.js';
export type { BatchStatus, FleetStatus } from './status.js';
export {
  openStorages,
  type S3Options,
  type Storage,
  type StorageOptions,
  type Storages,
} from './storage/index.js';
export type { SubmitOptions, SubmitResult } from './submit.js';
export { type FleetWorker, type FleetWorkerOptions, startFleetWorker } from './worker.js';
