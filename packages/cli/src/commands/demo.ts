/** `cyclegan demo`: the whole line on real images, from a data set to a page that shows what came out. */
import { resolve } from 'node:path';
import { defineCommand } from '../command.js';
import { whole } from '../options.js';
import { showTrainEvent } from '../train-events.js';

export const demo = defineCommand({
  command: 'demo',
  describe: 'See all of it work on emoji, in minutes: train, export, verify, translate, a page',
  about:
    'Draws two sets of emoji, trains on them unpaired for about five minutes on two cores, exports, verifies, translates test images that it has never seen, and writes a page with losses, samples and the true answers beside.',
  positionals: {},
  options: {
    out: {
      type: 'string',
      default: 'demo',
      describe: 'Folder for everything that it makes',
    },
    steps: {
      type: 'number',
      coerce: whole('steps', 1),
      describe: 'Training steps, if not as many as take about five minutes',
    },
    seed: {
      type: 'number',
      coerce: whole('seed', 0, 2 ** 31 - 1),
      describe: 'Same seed, same machine: the same page',
    },
  },
  examples: [['demo', 'then open demo/index.html']],

  async handler(args, { output, signal }) {
    const { runDemo } = await import('@cyclegan/example-emoji');
    const progress = await output.progress('train');
    const { page, bundle, run, web, verified, directions } = await runDemo({
      out: args.out,
      steps: args.steps,
      seed: args.seed,
      signal,
      log: output.note,
      onTrainEvent: (event) => showTrainEvent(event, output, progress),
    });
    const scores = directions.map(({ from, to, results }) => ({
      from,
      to,
      icons: results.length,
      inputL1: mean(results.map(({ baseline }) => baseline.l1)),
      translatedL1: mean(results.map(({ metrics }) => metrics.l1)),
    }));
    const lines = scores.map(
      ({ from, to, icons, inputL1, translatedL1 }) =>
        `${from} → ${to}: L1 to the true icon ${inputL1.toFixed(3)} before, ${translatedL1.toFixed(3)} translated (${icons} icons that it had never seen)`,
    );
    if (!verified) lines.push('VERIFY FAILED: see the table on the page');
    output.result([...lines, `Open ${resolve(page)}`, `Try the model in the browser: ${web}`].join('\n'), {
      page,
      bundle,
      run,
      verified,
      scores,
    });
    return verified ? 0 : 1;
  },
});

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
