/** `cyclegan worker`: takes chunks of images from the fleet's queue until it is told to stop. */
import { defineCommand } from '../command.js';
import { connectionOf, queueOptions, storageOf, storageOptions } from '../fleet-options.js';
import { group, real, whole } from '../options.js';
import { translatorOptions } from '../translator-options.js';

const { device, threads, workers, batch, memory, tile } = translatorOptions;

export const worker = defineCommand({
  command: 'worker <bundle>',
  describe: 'Translate what cyclegan submit put into the queue, until stopped',
  about:
    'Start as many as there are machines; each takes chunks, writes every output whole, and writes down what fails. Ctrl-C and SIGTERM finish the images in hand and give the rest back; a worker that is killed loses nothing, others take up its chunks.',
  positionals: {
    bundle: { type: 'string', demandOption: true, describe: 'Folder that cyclegan export wrote' },
  },
  options: {
    ...queueOptions,
    ...group('Work:', {
      concurrency: {
        type: 'number',
        defaultDescription: 'by the cores: 4 to 10',
        coerce: whole('concurrency', 1, 256),
        describe: 'Images in memory at a time: being read, computed and written',
      },
      'shutdown-timeout': {
        type: 'number',
        default: 0,
        coerce: real('shutdown-timeout', 0),
        describe: 'Seconds to go on with the chunks in hand when told to stop; 0 finishes the images alone',
      },
      lock: {
        type: 'number',
        default: 30,
        coerce: real('lock', 1),
        describe: 'Seconds without a sign of life after which others take up its chunks',
      },
    }),
    ...storageOptions,
    ...{ device, threads, workers, batch, memory, tile },
  },
  examples: [
    ['worker bundles/monet', 'on this machine, with all its cores'],
    ['worker bundles/monet --redis redis://queue:6379 --root /mnt/share', 'one of many machines'],
  ],

  async handler(args, { output, signal }) {
    const { startFleetWorker } = await import('@cyclegan/runtime-node/fleet');
    const counts = { translated: 0, there: 0, failed: 0 };
    const started = performance.now();
    const running = await startFleetWorker({
      ...connectionOf(args, output),
      ...storageOf(args),
      bundle: args.bundle,
      device: args.device,
      threads: args.threads,
      workers: args.workers,
      batch: args.batch,
      memory: args.memory,
      tile: args.tile,
      concurrency: args.concurrency,
      shutdownTimeoutMs: 1000 * args.shutdownTimeout,
      lockMs: 1000 * args.lock,
      onImage: (outcome) => {
        counts[outcome] += 1;
      },
    });
    output.note(`worker ${running.id} on ${running.device} takes chunks from ${args.queue}`);
    if (!signal.aborted) {
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    }
    const settled = await running.stop();
    const seconds = (performance.now() - started) / 1000;
    output.result(
      `${counts.translated} translated, ${counts.there} there already, ${counts.failed} failed in ${seconds.toFixed(1)} s`,
      { worker: running.id, device: running.device, seconds, ...counts },
    );
    if (settled) return 0;
    output.warn(
      'Redis is away: nothing could be given back, and other workers will take up what was in hand.',
    );
    // What waits for Redis would keep the process for ever.
    process.exit(1);
  },
});
