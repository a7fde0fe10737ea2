/** What the commands of the fleet share: where its queue and its images are, and how its state is said in words. */
import type { BatchStatus, Fleet, FleetStatus, StorageOptions } from '@cyclegan/runtime-node/fleet';
import type { ArgumentsCamelCase, InferredOptionTypes, Options } from 'yargs';
import { group } from './options.js';
import type { Output } from './output.js';
import { duration } from './progress.js';

export const queueOptions = group('Queue:', {
  redis: {
    type: 'string',
    defaultDescription: 'CYCLEGAN_REDIS, else redis://127.0.0.1:6379',
    describe: 'Address of Redis; one with a password is better in the environment than on the command line',
  },
  queue: {
    type: 'string',
    default: 'translate',
    describe: 'Name of the queue; bundles that run side by side want one each',
  },
} as const satisfies Record<string, Options>);

export const storageOptions = group('Where images are:', {
  root: {
    type: 'string',
    defaultDescription: 'CYCLEGAN_ROOT',
    describe:
      'The folder that all machines share, where this one has it: folders are then named below it, and nothing else is opened',
  },
  's3-endpoint': {
    type: 'string',
    defaultDescription: 'AWS_ENDPOINT_URL_S3, else Amazon',
    describe: 'Of an S3-compatible storage; credentials come from the environment or the profile',
  },
  's3-region': { type: 'string', defaultDescription: 'AWS_REGION', describe: 'Region of the buckets' },
  's3-path-style': {
    type: 'boolean',
    defaultDescription: 'true with an endpoint',
    describe: 'Whether the bucket stands in the path of an address, and not before its host',
  },
} as const satisfies Record<string, Options>);

/** For the package, from options and environment. */
export function connectionOf(
  { redis, queue }: InferredOptionTypes<typeof queueOptions>,
  { note }: Pick<Output, 'note'>,
) {
  return { redis: redis ?? process.env['CYCLEGAN_REDIS'], queue, onNote: note };
}

/** For the package, from options and environment. */
export function storageOf(
  args: ArgumentsCamelCase<InferredOptionTypes<typeof storageOptions>>,
): StorageOptions {
  const { root, s3Endpoint: endpoint, s3Region: region, s3PathStyle: pathStyle } = args;
  return { root: root ?? process.env['CYCLEGAN_ROOT'], s3: { endpoint, region, pathStyle } };
}

/** Follows a batch until nothing more will happen to it by itself. @returns the last that was seen */
export async function follow(
  fleet: Fleet,
  batch: string,
  { output, signal }: { output: Output; signal: AbortSignal },
): Promise<BatchStatus> {
  const progress = await output.progress('translate');
  for (;;) {
    const status = await fleet.batch(batch);
    progress.update(status.done + status.failed, status.images, paceOf(status));
    if (status.state !== 'running' && status.state !== 'submitting') return status;
    await new Promise((resolve) => {
      setTimeout(resolve, 1000);
      signal.addEventListener('abort', resolve, { once: true });
    });
    if (signal.aborted) return status;
  }
}

function paceOf({ rate, secondsLeft, failed, dead }: BatchStatus): string {
  const parts = [
    ...(rate > 0 ? [`${rate.toFixed(rate < 10 ? 1 : 0)} images/s`] : []),
    ...(secondsLeft ? [`${duration(secondsLeft)} left`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(dead > 0 ? [`${dead} given up`] : []),
  ];
  return parts.join(', ');
}

/** One line a batch. */
export function describeBatch(status: BatchStatus): string {
  const { batch, name, state, done, images, model } = status;
  const percent = Math.floor((100 * done) / images);
  const pace = paceOf(status);
  return [
    `${batch}  ${state.padEnd(10)} ${done}/${images} (${percent} %)`,
    `${name}, ${model.direction} ${model.precision}${pace === '' ? '' : `, ${pace}`}`,
  ].join('  ');
}

/** The whole fleet, for people. */
export function describeFleet({ queue, batches, workers, jobs }: FleetStatus): string {
  const lines = [
    `queue ${queue}: ${count(jobs.waiting, 'chunk')} waiting, ${jobs.active} in hand, ${jobs.delayed} to be tried later, ${jobs.dead} given up`,
    workers.length === 0 ? 'no worker is alive' : `${count(workers.length, 'worker')} alive`,
    ...workers.map(
      ({ host, pid, bundle, device, done, failed }) =>
        `  ${host} ${pid}  ${bundle} on ${device}  ${done} done${failed > 0 ? `, ${failed} failed` : ''}`,
    ),
    batches.length === 0 ? 'no batch was submitted' : 'batches, the newest first:',
    ...batches.map((batch) => `  ${describeBatch(batch)}`),
  ];
  return lines.join('\n');
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
