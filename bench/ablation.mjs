/**
 * What each loss contributes: five variants of CycleGAN, which differ in the weights of their losses alone, trained on
 * the colour and ink emoji and measured on held-out pairs. As in section 5.1.4 of the paper, on another data set.
 *
 *     node bench/ablation.mjs [--size 64 --ngf 32 --blocks 4 --steps 3000] [--seeds 1,1001,2001] [--threads N]
 *                             [--held N] [--runs FOLDER] [--out FOLDER] [--quick]
 *
 * Writes ablation.md and ablation.png to --out (default docs) after each of the fifteen runs, and keeps these in --runs
 * (default runs/ablation). Started again with the same options it goes on where it was stopped, and trains nothing that
 * is done. --quick shows in a minute that it works, and nothing about CycleGAN; it writes beside the runs.
 */
import { existsSync } from 'node:fs';
import { copyFile, readdir, readFile, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { measureDirection, renderEmojiSet } from '@cyclegan/example-emoji';
import { exportBundle } from '@cyclegan/export';
import { makeFolder, writeAtomic } from '@cyclegan/model';
import { createTranslator, translateFiles } from '@cyclegan/runtime-node';
import { loadTestImage, spread, train } from '@cyclegan/train';
import { writePage } from './ablation-page.mjs';

const text = { type: 'string' };
const { values } = parseArgs({
  options: {
    size: text,
    ngf: text,
    blocks: text,
    steps: text,
    seeds: text,
    threads: { type: 'string', default: String(availableParallelism()) },
    held: text,
    runs: text,
    out: text,
    quick: { type: 'boolean', default: false },
  },
});
const usual = values.quick
  ? { size: 32, ngf: 4, blocks: 1, steps: 2, seeds: '1', held: 12 }
  : { size: 64, ngf: 32, blocks: 4, steps: 3000, seeds: '1,1001,2001', held: 1000 };
const number = (key) => Number(values[key] ?? usual[key]);
const setting = {
  size: number('size'),
  ngf: number('ngf'),
  blocks: number('blocks'),
  steps: number('steps'),
  held: number('held'),
};
const seeds = (values.seeds ?? usual.seeds).split(',').map(Number);
const threads = Number(values.threads);
const inClone = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const runs = values.runs ?? inClone(values.quick ? 'runs/ablation-quick' : 'runs/ablation');
const out = values.out ?? (values.quick ? runs : inClone('docs'));

/** λ_A weighs the forward cycle, A → B → A; λ_B the backward one. Those that tell most come first. */
const weights = { lambdaGanA: 1, lambdaGanB: 1, lambdaA: 10, lambdaB: 10, lambdaIdentity: 0 };
const variants = [
  { key: 'full', title: 'full: GAN + both cycles', weights },
  { key: 'gan', title: 'GAN alone', weights: { ...weights, lambdaA: 0, lambdaB: 0 } },
  { key: 'cycle', title: 'cycle alone', weights: { ...weights, lambdaGanA: 0, lambdaGanB: 0 } },
  { key: 'forward', title: 'GAN + forward cycle', weights: { ...weights, lambdaB: 0 } },
  { key: 'backward', title: 'GAN + backward cycle', weights: { ...weights, lambdaA: 0 } },
];

const say = (message) => process.stderr.write(`${message}\n`);
const mean = (numbers) => numbers.reduce((sum, value) => sum + value, 0) / numbers.length;

/** Training folders, and as many pairs of the held-out icons as are to be measured. */
async function prepare(base) {
  say(`Drawing the icons at ${setting.size} px, unless they are there`);
  const { folders, counts, labels } = await renderEmojiSet({
    pair: 'colour-ink',
    out: join(base, 'icons'),
    size: setting.size,
  });
  const names = spread((await readdir(folders.testA)).sort(), setting.held);
  const held = { A: join(base, 'held', 'A'), B: join(base, 'held', 'B') };
  for (const [from, to] of [
    [folders.testA, held.A],
    [folders.testB, held.B],
  ]) {
    await makeFolder(to);
    for (const name of names) await copyFile(join(from, name), join(to, name));
  }
  return { a: folders.trainA, b: folders.trainB, counts, labels, held, names };
}

/** Trains one variant to its end, from its last checkpoint where it has one. @returns false when it was stopped */
async function trainVariant({ label, weights, seed, run, set, signal }) {
  let told = 0;
  const { finished } = await train({
    a: set.a,
    b: set.b,
    out: run,
    resume: existsSync(join(run, 'config.json')),
    size: setting.size,
    ngf: setting.ngf,
    blocks: setting.blocks,
    steps: setting.steps,
    decaySteps: Math.floor(setting.steps / 2),
    device: 'cpu',
    threads,
    seed,
    ...weights,
    signal,
    onEvent(event) {
      if (event.type === 'warning') say(`${label}: ${event.message}`);
      if (event.type !== 'progress' || performance.now() - told < 10_000) return;
      told = performance.now();
      say(
        `${label}: step ${event.step} of ${event.steps}, ${Math.round(event.secondsLeft)} s left of this run`,
      );
    },
  });
  return finished;
}

/** Translates the held-out icons both ways and back again, and holds them against the answers. */
async function measureRun(run, set, folder) {
  const bundle = join(folder, 'bundle');
  for (const name of ['bundle', 'translated', 'back']) {
    await rm(join(folder, name), { recursive: true, force: true });
  }
  await exportBundle({ source: run, out: bundle, name: 'ablation', licence: 'MIT' });
  const ways = [
    { direction: 'AtoB', from: 'A', to: 'B' },
    { direction: 'BtoA', from: 'B', to: 'A' },
  ];
  const translated = (direction) => join(folder, 'translated', direction);
  const back = (direction) => join(folder, 'back', direction);
  for (const { direction, from } of ways)
    await translateAll(bundle, direction, set.held[from], translated(direction));
  const [forth, other] = ways.map(({ direction }) => direction);
  await translateAll(bundle, other, translated(forth), back(forth));
  await translateAll(bundle, forth, translated(other), back(other));

  const measured = {};
  for (const { direction, from, to } of ways) {
    const outputs = translated(direction);
    const pair = { inputs: set.held[from], size: setting.size, from, to };
    const { results } = await measureDirection({ ...pair, outputs, answers: set.held[to] });
    const returned = await measureDirection({ ...pair, outputs: back(direction), answers: set.held[from] });
    const means = (of) =>
      Object.fromEntries(
        ['l1', 'psnr', 'ssim', 'structure'].map((key) => [
          key,
          mean(results.map((result) => result[of][key])),
        ]),
      );
    measured[direction] = {
      ...means('metrics'),
      back: mean(returned.results.map(({ metrics }) => metrics.l1)),
      variety: (await meanDistance(outputs, set.names)) / (await meanDistance(set.held[to], set.names)),
      untranslated: means('baseline'),
    };
  }
  return measured;
}

async function translateAll(bundle, direction, inputs, to) {
  const translator = await createTranslator(bundle, { direction, device: 'cpu', threads });
  try {
    const { failures } = await translateFiles({ translator, inputs: [inputs], out: to, format: 'png' });
    if (failures[0]) throw failures[0].error;
  } finally {
    await translator.dispose();
  }
}

/** Mean L1 between any two pictures of a folder: 0 when all are one picture. */
async function meanDistance(folder, names) {
  const images = await Promise.all(names.map((name) => loadTestImage(join(folder, name), setting.size)));
  const distances = images.flatMap((one, at) =>
    images.slice(at + 1).map((other) => {
      let sum = 0;
      for (let i = 0; i < one.length; i++) sum += Math.abs(one[i] - other[i]);
      return sum / one.length;
    }),
  );
  return mean(distances);
}

const { size, ngf, blocks, steps } = setting;
// What is done counts for the same setting only.
const base = join(runs, `${size}px-ngf${ngf}-blocks${blocks}-steps${steps}-held${setting.held}`);
const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
const set = await prepare(base);
const folderOf = ({ key }, seed) => join(base, `${key}-${seed}`);

async function report() {
  const rows = [];
  for (const variant of variants) {
    const done = seeds.filter((seed) => existsSync(join(folderOf(variant, seed), 'result.json')));
    const results = done.map(async (seed) =>
      JSON.parse(await readFile(join(folderOf(variant, seed), 'result.json'), 'utf8')),
    );
    const [seed] = done;
    const translated = seed === undefined ? undefined : join(folderOf(variant, seed), 'translated');
    rows.push({ title: variant.title, results: await Promise.all(results), translated });
  }
  const command = `node bench/ablation.mjs --size ${size} --ngf ${ngf} --blocks ${blocks} --steps ${steps} --seeds ${seeds} --threads ${threads}${values.held ? ` --held ${values.held}` : ''}`;
  await writePage({ out, rows, set, setting, seeds, threads, command });
}

for (const variant of variants) {
  for (const seed of seeds) {
    const label = `${variant.title}, seed ${seed}`;
    const folder = folderOf(variant, seed);
    if (existsSync(join(folder, 'result.json'))) {
      say(`${label}: done before`);
      continue;
    }
    say(`${label}: training`);
    const run = join(folder, 'run');
    if (!(await trainVariant({ label, weights: variant.weights, seed, run, set, signal: stop.signal }))) {
      say('Stopped. Start it again with the same options to go on.');
      process.exit(130);
    }
    const measured = await measureRun(run, set, folder);
    await writeAtomic(join(folder, 'result.json'), `${JSON.stringify(measured, null, 2)}\n`);
    await report();
  }
}
await report();
console.log(join(out, 'ablation.md'));
