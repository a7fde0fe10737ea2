/** The demo: the whole line on real images, each stage through the package that a user would call. */
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, rm } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { exportBundle, verifyBundle } from '@cyclegan/export';
import { generatorNetwork, makeFolder, parameterCount, writeAtomic } from '@cyclegan/model';
import { CycleganError, type Direction, throwIfAborted } from '@cyclegan/runtime-core';
import { createTranslator, readBundle, translateFiles } from '@cyclegan/runtime-node';
import { listSamples, readMetrics, type TrainEvent, train } from '@cyclegan/train';
import { writeDemoPage } from './demo-page.js';
import { type EmojiSet, renderEmojiSet } from './emoji-set.js';
import { measureDirection } from './measure.js';
import type { DemoDirection } from './scores.js';
import { capital } from './text.js';

/** What five minutes on two cores are best spent on, found by trying: see the README. */
const settings = { size: 64, loadSize: 68, ngf: 32, blocks: 4, steps: 1500 } as const;

export interface RunDemoOptions {
  /** Folder for all that is made. What an earlier demo left there is made anew. */
  out: string;
  /** Default: as many as take about five minutes on two cores. */
  steps?: number | undefined;
  seed?: number | undefined;
  signal?: AbortSignal | undefined;
  /** One line a stage. */
  log?: ((message: string) => void) | undefined;
  onTrainEvent?: ((event: TrainEvent) => void) | undefined;
}

export interface DemoSummary {
  /** The page, the bundle and the run folder. */
  page: string;
  bundle: string;
  run: string;
  /** Shows the model in the browser, from the folder of the clone. */
  web: string;
  /** Both directions with every test icon's measures. */
  directions: [DemoDirection, DemoDirection];
  verified: boolean;
}

/**
 * Renders, trains, exports, verifies, translates, measures, and writes `index.html`.
 * @throws CycleganError as the stages do; `aborted` when stopped
 */
export async function runDemo(options: RunDemoOptions): Promise<DemoSummary> {
  const { out, seed = 1, signal, log = () => {} } = options;
  const steps = options.steps ?? settings.steps;
  const paths = {
    icons: join(out, 'icons'),
    run: join(out, 'run'),
    bundle: join(out, 'bundle'),
    translated: join(out, 'translated'),
    samples: join(out, 'samples'),
    page: join(out, 'index.html'),
  };
  const { size, loadSize, ngf, blocks } = settings;
  await refuseForeignFolder(out);

  log('Drawing two sets of emoji, in colour and in ink');
  const set = await renderEmojiSet({ pair: 'colour-ink', out: paths.icons, size, signal });
  log(
    `Training on ${set.counts.trainA} colour and ${set.counts.trainB} ink icons, none of them in both sets`,
  );
  await rm(paths.run, { recursive: true, force: true });
  const trained = await train({
    a: set.folders.trainA,
    b: set.folders.trainB,
    out: paths.run,
    size,
    loadSize,
    ngf,
    blocks,
    steps,
    decaySteps: Math.floor(steps / 2),
    seed,
    signal,
    onEvent: options.onTrainEvent,
  });
  throwIfAborted(signal, '[demo] training');

  log('Exporting both directions to ONNX');
  const licence = 'MIT';
  await exportBundle({
    source: paths.run,
    out: paths.bundle,
    name: 'emoji: colour and ink',
    licence,
    signal,
  });
  log('Verifying every stage against the one before');
  const verified = await verifyBundle({ bundle: paths.bundle, source: paths.run, signal });
  log(`Translating ${set.counts.testA} icons that were kept aside, each way`);
  await rm(paths.translated, { recursive: true, force: true });
  const translate = (direction: Direction) => translateAndMeasure(set, direction, paths, signal);
  const directions: [DemoDirection, DemoDirection] = [await translate('AtoB'), await translate('BtoA')];
  await copySamples(set, paths.samples);

  const metrics = await readMetrics(join(paths.run, 'metrics.jsonl'));
  const { manifest } = await readBundle(paths.bundle);
  const { generator } = manifest.networks;
  if (!generator) throw new Error('internal: a run gave a bundle without its generator');
  await writeDemoPage({
    out: paths.page,
    metrics,
    samples: await listSamples(paths.run),
    directions,
    facts: {
      steps: trained.step,
      seconds: metrics.at(-1)?.elapsed ?? 0,
      machine: `${cpus().length} cores, ${cpus()[0]?.model.trim() ?? 'unknown'}`,
      parameters: parameterCount(generatorNetwork(generator).parameters),
      size,
      trainA: set.counts.trainA,
      trainB: set.counts.trainB,
      modelBytes: manifest.models[0]?.bytes ?? 0,
      verify: verified.rows.flatMap(({ model, comparison, maxError, tolerance }) =>
        // Rows without a difference (a hash, a manifest) are checks of another kind.
        maxError === null || tolerance === null
          ? []
          : [{ check: `${model}: ${comparison}`, difference: maxError, allowed: tolerance }],
      ),
    },
    next: nextSteps(paths, set),
    notes: [
      'The icons are Microsoft’s Fluent emoji (MIT), as packaged by Iconify. Names in both sets were dealt out so that no icon is in both training folders; those measured here are in neither.',
    ],
  });
  return {
    page: paths.page,
    bundle: paths.bundle,
    run: paths.run,
    web: webCommand(paths),
    directions,
    verified: verified.ok,
  };
}

/** Only what an earlier demo left may be made anew: its icons are the first thing that it makes, and marked. */
async function refuseForeignFolder(out: string): Promise<void> {
  const names: string[] = await readdir(out).catch(() => []);
  if (names.length > 0 && !existsSync(join(out, 'icons', 'emoji-set.json'))) {
    throw new CycleganError(
      'output',
      `[demo] ${out}: expected a new or empty folder, or an earlier demo's, got one with other files. Choose another --out.`,
    );
  }
}

/** Translates one side's test icons with the Node runtime and holds them against the other side's. */
async function translateAndMeasure(
  { folders, labels }: EmojiSet,
  direction: Direction,
  paths: { bundle: string; translated: string },
  signal: AbortSignal | undefined,
): Promise<DemoDirection> {
  const forth = direction === 'AtoB';
  const inputs = forth ? folders.testA : folders.testB;
  const outputs = join(paths.translated, direction);
  const translator = await createTranslator(paths.bundle, { direction, device: 'cpu', signal });
  try {
    const { failures } = await translateFiles({
      translator,
      inputs: [inputs],
      out: outputs,
      format: 'png',
      signal,
    });
    if (failures[0]) throw failures[0].error;
  } finally {
    await translator.dispose();
  }
  return measureDirection({
    from: forth ? labels.a : labels.b,
    to: forth ? labels.b : labels.a,
    inputs,
    outputs,
    answers: forth ? folders.testB : folders.testA,
    size: settings.size,
  });
}

/** Puts some icons of both sides where the web page looks for samples. */
async function copySamples({ folders, labels }: EmojiSet, to: string): Promise<void> {
  await rm(to, { recursive: true, force: true });
  await makeFolder(to);
  const spread = (names: string[], count: number) =>
    Array.from({ length: count }, (_, i) => names[Math.floor(((i + 0.5) * names.length) / count)] ?? '');
  const listed: string[] = [];
  for (const [folder, side] of [
    [folders.testA, 'A'],
    [folders.testB, 'B'],
  ] as const) {
    await mkdir(join(to, side));
    for (const name of spread((await readdir(folder)).sort(), 5)) {
      await copyFile(join(folder, name), join(to, side, name));
      listed.push(`${side}/${name}`);
    }
  }
  const index = { domains: [labels.a, labels.b].map(capital), files: listed };
  await writeAtomic(join(to, 'index.json'), `${JSON.stringify(index)}\n`);
}

/** The page serves `demo/` unless it is told otherwise. */
function webCommand(paths: { bundle: string; samples: string }): string {
  if (paths.bundle === join('demo', 'bundle')) return 'npm run web';
  const [bundle, samples] = [paths.bundle, paths.samples].map((path) => JSON.stringify(resolve(path)));
  return `CYCLEGAN_BUNDLE=${bundle} CYCLEGAN_SAMPLES=${samples} npm run web`;
}

function nextSteps(
  paths: { bundle: string; run: string; samples: string },
  { folders }: EmojiSet,
): { what: string; command: string }[] {
  return [
    { what: 'Try the model in the browser', command: webCommand(paths) },
    {
      what: 'Train on your own two folders',
      command: 'npx cyclegan train --a photos --b paintings --out runs/mine',
    },
    {
      what: 'Train this one further',
      command: `npx cyclegan train --a ${folders.trainA} --b ${folders.trainB} --out ${paths.run} --resume --steps 10000`,
    },
    { what: 'Translate a folder', command: `npx cyclegan translate ${paths.bundle} images --out translated` },
  ];
}
