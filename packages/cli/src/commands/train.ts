/** `cyclegan train`: two folders of images in, a run folder with checkpoints, samples and a report out. */
import { join } from 'node:path';
import type { TrainResult } from '@cyclegan/train';
import { defineCommand } from '../command.js';
import { INTERRUPTED } from '../interrupt.js';
import { openInBrowser } from '../open-in-browser.js';
import { quoted } from '../output.js';
import { showTrainEvent } from '../train-events.js';
import { trainOptions } from '../train-options.js';

export const train = defineCommand({
  command: 'train',
  describe: 'Train on two folders of images that need not be paired',
  about: `Learns to turn images of A into images like those of B, and back. The run folder holds checkpoints, sample pictures, the losses and a report; Ctrl-C saves, and --resume goes on exactly where it stopped.

Presets, with what they cost on two cores of a server CPU (times are estimates; see docs/training.md):
  tiny   64 px, narrow, 4 blocks, 3,000 steps: some 7 minutes, 0.5 GB; texture and colour
  small  128 px, 6 blocks, 20,000 steps: some 8 hours, 1.6 GB; icons, textures, styles
  paper  256 px, 9 blocks, 100 + 100 epochs: the paper's setting, 8 s a step and 2.4 GB there; for a GPU`,
  positionals: {},
  options: trainOptions,
  examples: [
    [
      'train --a photos --b paintings --out runs/monet --preset small --open',
      'train and watch in the browser',
    ],
    ['train --a photos --b paintings --out runs/monet --resume', 'go on where it stopped'],
    ['train --config train.yaml --seed 2', 'options from a file; those given here count more'],
    [
      'train --a a --b b --out runs/x --val-a va --val-b vb --patience 10',
      'keep the best on held-out images, stop when it gets no better',
    ],
  ],

  async handler(args, { output, signal }) {
    const { serveReport, train: runTraining } = await import('@cyclegan/train');
    const progress = await output.progress('train');
    const page = new AbortController();
    const watch = async (run: string) => {
      const { url } = await serveReport({ run, signal: page.signal });
      output.note(`Watch it at ${url}`);
      await openInBrowser(url);
    };
    let watching: Promise<void> | undefined;
    try {
      const result = await runTraining({
        ...args,
        signal,
        onEvent: (event) => {
          showTrainEvent(event, output, progress);
          if (event.type === 'started' && args.open) {
            // Training goes on without its page.
            watching = watch(event.run).catch((error: Error) => output.warn(error.message));
          }
        },
      });
      await watching;
      output.result(closingWords(result, args), { ...result });
      return result.finished ? 0 : INTERRUPTED;
    } finally {
      page.abort();
    }
  },
});

function closingWords(
  { run, step, steps, finished, stoppedEarly, best }: TrainResult,
  { a, b }: { a: string; b: string },
): string {
  if (!finished) {
    return `Stopped and saved at step ${step} of ${steps}. Go on with: cyclegan train --a ${quoted(a)} --b ${quoted(b)} --out ${quoted(run)} --resume`;
  }
  const done = stoppedEarly
    ? `Stopped at step ${step} of ${steps}: no better for a while.`
    : `Trained ${steps} steps.`;
  const source = best && best.step !== step ? join(run, 'checkpoints', 'best') : run;
  const why = best ? ` Best ${best.metric}: ${Number(best.value.toPrecision(4))} at step ${best.step}.` : '';
  return `${done}${why} Next: cyclegan export ${quoted(source)} --out bundles/mine`;
}
