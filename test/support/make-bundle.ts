/**
 * A small real bundle for tests: a checkpoint with random weights, written and exported as a user's would be. Trains
 * nothing, so that its pictures mean nothing.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type ExportOptions, type ExportResult, exportBundle } from '@cyclegan/export';
import {
  cycleganNetworks,
  discriminatorNames,
  type GeneratorConfig,
  generatorNames,
  initialWeights,
  type NetworksConfig,
  namedBuffers,
  namedParameters,
  networksSchema,
  parameterCount,
  type Tensor,
  writeCheckpoint,
} from '@cyclegan/model';
import sharp from 'sharp';

export interface MakeRunOptions {
  /** The run folder; made. */
  run: string;
  ngf?: number;
  blocks?: number;
  /** What of the generator is not a plain resnet's. */
  generator?: Partial<GeneratorConfig> | undefined;
  seed?: number;
  step?: number;
}

export interface MadeRun {
  run: string;
  /** The checkpoint's step folder. */
  checkpoint: string;
  networks: NetworksConfig;
  weights: Map<string, Tensor>;
}

/** Random weights for all four networks, wider than a fresh start's, so that outputs fill their range. */
export function randomWeights(networks: NetworksConfig, seed: number): Map<string, Tensor> {
  const all = cycleganNetworks(networks);
  const names = [...generatorNames, ...discriminatorNames];
  const parameters = [...namedParameters(all, names), ...namedBuffers(all, names)];
  // Everything differs from its beginning, so that a lost bias or statistic is found.
  const flat = initialWeights(
    parameters.map((parameter) => ({ ...parameter, role: 'weight' })),
    seed,
    { type: 'normal', gain: 0.1 },
  );
  let at = 0;
  return new Map(
    parameters.map((parameter) => {
      const own = flat.slice(at, at + parameterCount([parameter]));
      at += own.length;
      const about = parameter.role === 'scale' || parameter.role === 'variance' ? 1 : 0;
      return [parameter.name, { shape: parameter.shape, data: own.map((value) => about + value) }];
    }),
  );
}

export function smallNetworks({
  ngf = 4,
  blocks = 1,
  generator,
}: Omit<MakeRunOptions, 'run'> = {}): NetworksConfig {
  return networksSchema.parse({
    generator: { kind: 'resnet', blocks, ngf, inputChannels: 3, outputChannels: 3, ...generator },
    discriminator: { kind: 'patch', ndf: ngf, layers: 3 },
  });
}

/** A run folder with one checkpoint, with the metadata that training writes. */
export async function makeRun(options: MakeRunOptions): Promise<MadeRun> {
  const { run, seed = 1, step = 10 } = options;
  const networks = smallNetworks(options);
  const weights = randomWeights(networks, seed);
  const checkpoint = await writeCheckpoint({
    run,
    step,
    weights,
    optimizer: new Map(),
    state: {},
    metadata: {
      networks: JSON.stringify(networks),
      training: JSON.stringify({ steps: step, size: 64, batch: 1, seed, imagesA: 12, imagesB: 9 }),
    },
  });
  return { run, checkpoint, networks, weights };
}

export type MadeBundle = MadeRun & ExportResult;

/** `dir/run` and, exported from it, `dir/bundle`. */
export async function makeBundle(
  options: Omit<MakeRunOptions, 'run'> & { dir: string } & Pick<ExportOptions, 'direction' | 'name'>,
): Promise<MadeBundle> {
  const { dir, direction, name, ...rest } = options;
  const made = await makeRun({ ...rest, run: join(dir, 'run') });
  const out = join(dir, 'bundle');
  return { ...made, ...(await exportBundle({ source: made.run, out, direction, name })) };
}

/** `dir/all`, a bundle of every precision, and `dir/small`, one of the same generator without fp32. */
export async function makePrecisionBundles(dir: string): Promise<{ all: string; small: string }> {
  const { run } = await makeRun({ run: join(dir, 'run'), ngf: 16, seed: 5 });
  const calibrate = join(dir, 'pictures');
  await mkdir(calibrate, { recursive: true });
  const side = 64;
  for (const seed of [1, 2]) {
    const data = Uint8Array.from({ length: 3 * side * side }, (_, i) => {
      const [x, y, channel] = [Math.floor(i / 3) % side, Math.floor(i / (3 * side)), i % 3];
      return 128 + 80 * Math.sin((seed * x) / 9 + channel) + (((x >> 2) + (y >> 3)) % 2 ? 40 : -40);
    });
    const raw = { width: side, height: side, channels: 3 } as const;
    await sharp(data, { raw }).toFile(join(calibrate, `${seed}.png`));
  }
  // As much as random weights allow.
  const options = { source: run, direction: 'AtoB', calibrate, psnr: 30 } as const;
  const [all, small] = [join(dir, 'all'), join(dir, 'small')];
  await exportBundle({ ...options, out: all, precision: ['fp32', 'fp16-weights', 'fp16', 'int8'] });
  await exportBundle({ ...options, out: small, precision: ['int8', 'fp16-weights'] });
  return { all, small };
}
