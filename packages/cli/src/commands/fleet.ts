/** `cyclegan fleet`: how the batches are doing, what failed, and trying again or giving up. */
import type { BatchFailures, Fleet } from '@cyclegan/runtime-node/fleet';
import { defineCommand } from '../command.js';
import { connectionOf, describeBatch, describeFleet, follow, queueOptions } from '../fleet-options.js';
import { group, whole } from '../options.js';
import type { Output } from '../output.js';
import { UsageError } from '../usage.js';

type Result = readonly [text: string, data: Readonly<Record<string, unknown>>];

export const fleet = defineCommand({
  command: 'fleet <action> [batch]',
  describe: 'See how submitted batches are doing; list, retry or cancel',
  about:
    'status: all batches, workers and the queue, or one batch. failed: images that could not be translated and chunks that were given up, with reasons. retry: those once more. cancel: no more of a batch; submitting it again goes on with it.',
  positionals: {
    action: { choices: ['status', 'failed', 'retry', 'cancel'], demandOption: true, describe: 'What to do' },
    batch: { type: 'string', describe: 'Id or name of a batch; all but status need one' },
  },
  options: {
    ...queueOptions,
    ...group('Output:', {
      watch: { type: 'boolean', describe: 'Of status: go on until the batch has ended, or Ctrl-C' },
      limit: {
        type: 'number',
        default: 1000,
        coerce: whole('limit', 1),
        describe: 'Of failed: the most images to list',
      },
    }),
  },
  examples: [
    ['fleet status', 'batches, workers and the queue'],
    ['fleet failed photos', 'why images of the batch named photos failed'],
    ['fleet retry 3f2a9c4b5d6e7f80', 'what failed in a batch, once more'],
  ],

  async handler(args, { output, signal }) {
    const { action, batch, watch = false, limit } = args;
    if (batch === undefined && action !== 'status') {
      throw new UsageError(`expected fleet ${action} with a batch, got none`);
    }
    const { openFleet } = await import('@cyclegan/runtime-node/fleet');
    const opened = await openFleet(connectionOf(args, output));
    try {
      if (batch === undefined) {
        const [text, data] = await showAll(opened, { watch, output, signal });
        output.result(text, data);
        return 0;
      }
      const [text, data] = await act[action](opened, batch, { watch, limit, output, signal });
      output.result(text, data);
      return 0;
    } finally {
      await opened.close();
    }
  },
});

interface Ways {
  watch: boolean;
  limit: number;
  output: Output;
  signal: AbortSignal;
}

async function showAll(opened: Fleet, { watch, output, signal }: Omit<Ways, 'limit'>): Promise<Result> {
  for (;;) {
    const status = await opened.status();
    const text = describeFleet(status);
    if (!watch || signal.aborted) return [text, { ...status }];
    output.note(text);
    await new Promise((resolve) => {
      setTimeout(resolve, 2000);
      signal.addEventListener('abort', resolve, { once: true });
    });
  }
}

const act = {
  async status(opened: Fleet, batch: string, { watch, output, signal }: Ways): Promise<Result> {
    const status = watch ? await follow(opened, batch, { output, signal }) : await opened.batch(batch);
    return [describeBatch(status), { ...status }];
  },
  async failed(opened: Fleet, batch: string, { limit }: Ways): Promise<Result> {
    const failures = await opened.failures(batch, { limit });
    return [describeFailures(failures), { ...failures }];
  },
  async retry(opened: Fleet, batch: string): Promise<Result> {
    const { images, chunks, ...rest } = await opened.retry(batch);
    return [
      `${images} failed images and ${chunks} chunks are in the queue again`,
      { ...rest, images, chunks },
    ];
  },
  async cancel(opened: Fleet, batch: string): Promise<Result> {
    const { removed, ...rest } = await opened.cancel(batch);
    return [
      `cancelled, ${removed} chunks taken out of the queue; what is translated stays`,
      { ...rest, removed },
    ];
  },
};

function describeFailures({ images, chunks, more }: BatchFailures): string {
  if (images.length === 0 && chunks.length === 0) return 'nothing failed';
  return [
    ...images.map(({ name, reason }) => `${name}  ${reason}`),
    ...(more ? ['…and more: --limit'] : []),
    ...chunks.map(
      ({ job, images: count, reason, attempts }) =>
        `chunk ${job}  ${count} images, given up after ${attempts} tries  ${reason}`,
    ),
  ].join('\n');
}
