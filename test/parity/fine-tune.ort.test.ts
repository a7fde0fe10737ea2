/** Fine-tuning: a run begins with the very weights of the run, weights file or bundle that it is told to begin with. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exportBundle } from '@cyclegan/export';
import { readCheckpoint, type Tensor } from '@cyclegan/model';
import { type TrainOptions, train } from '@cyclegan/train';
import { beforeAll, expect, it } from 'vitest';
import { gradientFolder, temporaryFolder } from '../../packages/train/test/temp-folder.ts';

const folder = temporaryFolder();
const images = { a: join(folder, 'a'), b: join(folder, 'b') };
const source = join(folder, 'source');
const bundle = join(folder, 'bundle');
const networks = { norm: 'batch', dLayers: 2, discriminator: 'n_layers' } as const;
const plain = join(folder, 'plain');
const folded = join(folder, 'folded');

const weightsOf = async (run: string, step: number) =>
  (await readCheckpoint(join(run, 'checkpoints', String(step)))).weights;
const network = (weights: ReadonlyMap<string, Tensor>, name: string) =>
  [...weights].filter(([key]) => key.startsWith(`${name}.`));

/** Weights with which a run begins, and what it said of them. */
async function begin(name: string, options: Partial<TrainOptions>) {
  const out = join(folder, name);
  const notes: string[] = [];
  await train({
    ...images,
    size: 24,
    steps: 1,
    seed: 9,
    ...options,
    out,
    onEvent: (event) => event.type === 'note' && notes.push(event.message),
  });
  return { weights: await weightsOf(out, 0), notes: notes.join('\n') };
}

beforeAll(async () => {
  await gradientFolder(images.a, 3, 0);
  await gradientFolder(images.b, 3, 100);
  const sizes = { size: 24, ngf: 3, ndf: 2, blocks: 1, steps: 3 };
  await train({ ...images, ...networks, ...sizes, out: source });
  await train({ ...images, ...sizes, out: plain });
  await exportBundle({ source: plain, out: bundle });
  await exportBundle({ source, out: folded });
}, 60_000);

it('takes all of a run, its networks with it', async () => {
  const { weights, notes } = await begin('from-run', { initFrom: source });
  expect(weights).toEqual(await weightsOf(source, 3));
  expect(notes).toMatch(/Weights of G_A, G_B, D_A, D_B from .*source\./);
});

it('takes the generators of a bundle, and begins its discriminators anew', async () => {
  const { weights, notes } = await begin('from-bundle', { initFrom: bundle, ndf: 2 });
  const trained = await weightsOf(plain, 3);
  for (const name of ['G_A', 'G_B']) {
    const taken = new Map(network(weights, name));
    for (const [key, weight] of network(trained, name)) {
      // What normalisation takes away again is not in a bundle.
      const normalised = key.endsWith('.bias') && taken.get(key)?.data.every((value) => value === 0);
      if (!normalised) expect(taken.get(key), key).toEqual(weight);
    }
  }
  expect(network(weights, 'D_A')).not.toEqual(network(trained, 'D_A'));
  expect(notes).toMatch(/Weights of G_A, G_B from .*bundle; D_A, D_B begin anew\./);
});

it('refuses other networks, and what holds no weights, and leaves no run behind', async () => {
  await expect(begin('other', { initFrom: source, ngf: 4 })).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringMatching(
      /init-from, .*: expected G_A\.model\.1\.weight of \[4, 3, 7, 7\], got \[3, /,
    ),
  });
  await expect(begin('none', { initFrom: images.a })).rejects.toMatchObject({ code: 'run' });
  await expect(readCheckpoint(join(folder, 'other'))).rejects.toMatchObject({ code: 'run' });
});

it('refuses a bundle whose batch normalisation is folded away', async () => {
  await expect(begin('of-folded', { initFrom: folded })).rejects.toMatchObject({
    code: 'bundle',
    message: expect.stringMatching(/expected weights as training keeps them, got a bundle with its batch/),
  });
});

it('refuses a bundle of another model', async () => {
  const manifest = JSON.parse(await readFile(join(bundle, 'manifest.json'), 'utf8'));
  const foreign = join(folder, 'foreign');
  await mkdir(foreign);
  await writeFile(
    join(foreign, 'manifest.json'),
    JSON.stringify({ ...manifest, networks: { generator: null } }),
  );
  await expect(begin('of-foreign', { initFrom: foreign })).rejects.toMatchObject({
    code: 'bundle',
    message: expect.stringMatching(
      /expected a bundle of one of the reference's generators, got another model's/,
    ),
  });
});

it('does not need its source when it goes on', async () => {
  const out = join(folder, 'from-run');
  await rm(source, { recursive: true });
  expect(await train({ ...images, out, resume: true, steps: 2 })).toMatchObject({ step: 2 });
});
