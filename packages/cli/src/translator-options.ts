/** Options that every command which opens a translator has, and what was chosen by them, in words. */
import type { NodeTranslator, TranslatorInfo } from '@cyclegan/runtime-node';
import type { InferredOptionTypes, Options } from 'yargs';
import { bytes, colour, group, tile, whole } from './options.js';

export const translatorOptions = {
  ...group('Model and device:', {
    direction: {
      choices: ['AtoB', 'BtoA'],
      describe: 'Which way; by default AtoB where the bundle has it',
    },
    precision: {
      choices: ['fp32', 'fp16-weights', 'fp16', 'int8'],
      describe: 'Which of the models; by default the one that the bundle measured as best for the device',
    },
    device: {
      choices: ['auto', 'cpu', 'cuda', 'tensorrt', 'webgpu'],
      default: 'auto',
      describe: 'Where to compute; auto takes the fastest that passes the self-check',
    },
    threads: {
      type: 'number',
      coerce: whole('threads', 1),
      defaultDescription: 'all cores',
      describe: 'Cores to use on the CPU, by all workers together',
    },
    workers: {
      type: 'number',
      coerce: whole('workers', 1),
      defaultDescription: 'by the number of files',
      describe:
        'Runs side by side on the CPU, which share the threads: more images a second, each of them later',
    },
    batch: {
      type: 'number',
      coerce: whole('batch', 1),
      defaultDescription: '1 on the CPU, 4 on GPUs',
      describe: 'Images of one size that may share a run',
    },
  }),
  ...group('Large images and transparency:', {
    memory: {
      type: 'string',
      coerce: bytes('memory'),
      defaultDescription: 'half of what is free, 4G at most',
      describe: 'What one translation may take, as 512M or 4G; larger images are translated in tiles',
    },
    tile: {
      type: 'string',
      default: 'auto',
      coerce: tile,
      describe: 'auto: whole while it fits in --memory; none: always whole; a number: tiles of that side',
    },
    alpha: {
      choices: ['keep', 'flatten'],
      default: 'keep',
      describe: 'keep: the translation is as transparent; flatten: the image is laid on --background before',
    },
    background: {
      type: 'string',
      coerce: colour('background'),
      defaultDescription: 'white',
      describe: 'A colour as #ffcc00, for --alpha flatten and for JPEG, which has no transparency',
    },
  }),
} as const satisfies Record<string, Options>;

/**
 * Loads the package and opens the bundle as the options say.
 * @param files how many there are to translate, where that is known
 */
export async function openTranslator(
  args: InferredOptionTypes<typeof translatorOptions> & { bundle: string },
  signal: AbortSignal,
  files?: number,
): Promise<NodeTranslator> {
  const { createTranslator, workersFor } = await import('@cyclegan/runtime-node');
  const { direction, precision, device, threads, batch, memory, tile, alpha, background } = args;
  const workers = args.workers ?? (files === undefined ? undefined : workersFor(files, threads));
  return createTranslator(args.bundle, {
    ...{ direction, precision, device, threads, workers, batch },
    ...{ memory, tile, alpha, background, signal },
  });
}

/** What runs, and what was passed over, a line each. */
export function describeTranslator(info: TranslatorInfo): string[] {
  const { direction, precision, device, workers, batch, threads, fallbacks, precisionReason } = info;
  const count = (number: number, what: string) => `${number} ${what}${number === 1 ? '' : 's'}`;
  const shared = [
    ...(workers > 1 ? [count(workers, 'worker')] : []),
    ...(batch > 1 ? [`${batch} images a run`] : []),
  ];
  return [
    [`${direction} ${precision} on ${device}`, count(threads, 'thread'), ...shared].join(', '),
    precisionReason,
    ...fallbacks.map((passed) => `passed over ${passed.device}: ${passed.reason}`),
  ];
}

/** The same for programs. */
export function translatorFacts(info: TranslatorInfo) {
  const { direction, precision, precisionReason, device, fallbacks, threads, workers, batch, loadMs } = info;
  return { direction, precision, precisionReason, device, fallbacks, threads, workers, batch, loadMs };
}
