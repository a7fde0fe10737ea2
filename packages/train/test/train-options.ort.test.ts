/** Every option that decides what is computed reaches the computation: away from its default, the losses are others. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readMetrics, type TrainOptions, train } from '@cyclegan/train';
import { beforeAll, expect, it } from 'vitest';
import { gradientFolder, temporaryFolder } from './temp-folder.ts';

const folder = temporaryFolder();
const small = { size: 32, loadSize: 36, ngf: 2, blocks: 1, pool: 2, steps: 6, seed: 3 } as const;
let images: Pick<TrainOptions, 'a' | 'b'>;
let plain: string;
let runs = 0;

async function losses(options: Partial<TrainOptions>): Promise<string> {
  const out = join(folder, `run-${runs++}`);
  await train({ ...images, ...small, ...options, out });
  return JSON.stringify((await readMetrics(join(out, 'metrics.jsonl'))).map((line) => line.losses));
}

beforeAll(async () => {
  images = {
    a: await gradientFolder(join(folder, 'a'), 6, 0),
    b: await gradientFolder(join(folder, 'b'), 7, 100),
  };
  plain = await losses({});
});

const wasserstein = { gan: 'wgangp' } as const;
const shaky = { evalEvery: 1, lr: 0.02, steps: 20 } as const;

it.each<[Partial<TrainOptions>, Partial<TrainOptions>?]>([
  [{ size: 36 }],
  [{ loadSize: 48 }],
  [{ preprocess: 'crop' }],
  [{ preprocess: 'scale_width_and_crop', loadSize: 40 }],
  [{ flip: false }],
  [{ serial: true }],
  [{ maxImages: 3 }],
  [{ generator: 'unet', blocks: undefined }],
  [{ ngf: 3, ndf: 2 }],
  [{ blocks: 2 }],
  [{ ndf: 4 }],
  [{ discriminator: 'n_layers', dLayers: 1 }],
  [{ discriminator: 'pixel' }],
  [{ norm: 'batch' }],
  [{ norm: 'none' }],
  [{ dropout: true }],
  [{ upsample: 'resize' }],
  [{ channelsA: 1, lambdaIdentity: 0 }],
  [{ channelsB: 1, lambdaIdentity: 0 }],
  [{ init: 'xavier' }],
  [{ init: 'kaiming' }],
  [{ init: 'orthogonal' }],
  [{ initGain: 0.05 }],
  [{ batch: 2 }],
  [{ seed: 4 }],
  [{ gan: 'vanilla' }],
  [wasserstein],
  [{ ...wasserstein, lambdaGp: 3 }, wasserstein],
  [{ lambdaGanA: 0 }],
  [{ lambdaGanB: 0.5 }],
  [{ lambdaA: 3 }],
  [{ lambdaB: 0 }],
  [{ lambdaIdentity: 0 }],
  [{ pool: 0 }],
  [{ lr: 1e-3 }],
  [{ decaySteps: 5 }],
  [{ lrPolicy: 'step', lrDecayEvery: 2 }],
  [{ lrPolicy: 'cosine' }],
  [{ ...shaky, lrPolicy: 'plateau' }, shaky],
  [{ beta1: 0.9 }],
  [{ beta2: 0.5 }],
])('%j', async (options, than) => {
  const changed = await losses(options);
  expect(changed).not.toBe(than ? await losses(than) : plain);
  expect(changed).not.toContain('null');
});

it('but the same again for the same options, and for those that decide nothing', async () => {
  expect(await losses({})).toBe(plain);
  expect(await losses({ checkpointEvery: 2, keep: 1, tensorboard: true, cache: join(folder, 'cache') })).toBe(
    plain,
  );
});

it('checkpoints: as often and as many as asked for', async () => {
  const steps: number[] = [];
  const out = join(folder, 'checkpoints');
  await train({
    ...images,
    ...small,
    out,
    checkpointEvery: 2,
    keep: 1,
    onEvent: (event) => event.type === 'checkpoint' && steps.push(event.step),
  });
  expect(steps).toEqual([0, 2, 4, 6]);
  expect(await readFile(join(out, 'checkpoints', 'latest'), 'utf8')).toBe('6\n');
});
