/**
 * What a run is: presets, options as a user gives them, and the resolved config that the run folder keeps. Knows no
 * files.
 */
import { discriminatorMinSize, networksSchema, SIZE_MULTIPLE } from '@cyclegan/model';
import { CycleganError } from '@cyclegan/runtime-core';
import { z } from 'zod';

const count = z.number().int().positive();

/** `config.json`: everything that decides what a run computes. */
export const runConfigSchema = z.object({
  format: z.literal('cyclegan-run'),
  version: z.literal(1),
  a: z.string(),
  b: z.string(),
  networks: networksSchema,
  size: count,
  loadSize: count,
  batch: count,
  seed: z.number().int(),
  steps: count,
  /** Steps at the end over which the learning rate falls to zero. */
  decaySteps: z.number().int().nonnegative(),
  /** Given instead of `steps`: epochs at the full rate, and those over which it falls, as in the reference. */
  epochs: count.nullable(),
  decayEpochs: z.number().int().nonnegative().nullable(),
  learningRate: z.number().positive(),
  gan: z.enum(['lsgan', 'vanilla']),
  lambdaA: z.number().nonnegative(),
  lambdaB: z.number().nonnegative(),
  lambdaIdentity: z.number().nonnegative(),
  pool: z.number().int().nonnegative(),
  engine: z.literal('ort'),
  device: z.literal('cpu'),
  checkpointEvery: count,
  reportEvery: count,
  sampleEvery: count,
});

export type RunConfig = z.infer<typeof runConfigSchema>;

/** Options that a user may give; what is left out comes from the preset. */
export interface RunOptions {
  preset?: PresetName | undefined;
  size?: number | undefined;
  loadSize?: number | undefined;
  ngf?: number | undefined;
  blocks?: number | undefined;
  steps?: number | undefined;
  decaySteps?: number | undefined;
  epochs?: number | undefined;
  decayEpochs?: number | undefined;
  batch?: number | undefined;
  seed?: number | undefined;
  engine?: 'ort' | 'tfjs' | undefined;
  device?: 'auto' | 'cpu' | 'cuda' | 'webgpu' | undefined;
  lambdaA?: number | undefined;
  lambdaB?: number | undefined;
  lambdaIdentity?: number | undefined;
  gan?: 'lsgan' | 'vanilla' | 'wgangp' | undefined;
  pool?: number | undefined;
  lr?: number | undefined;
  lrPolicy?: 'linear' | 'step' | 'cosine' | 'plateau' | undefined;
  checkpointEvery?: number | undefined;
}

/**
 * Sizes that go together. `tiny` learns a change of texture or colour on a laptop in a quarter of an hour; `small`
 * wants some hours there; `paper` is the paper's setting, for a GPU box.
 */
export const presets = {
  tiny: { size: 64, loadSize: 72, ngf: 32, blocks: 4, steps: 3000, decaySteps: 1500 },
  small: { size: 128, loadSize: 143, ngf: 64, blocks: 6, steps: 20_000, decaySteps: 10_000 },
  paper: { size: 256, loadSize: 286, ngf: 64, blocks: 9, epochs: 100, decayEpochs: 100 },
} as const;

export type PresetName = keyof typeof presets;

interface Folders {
  a: string;
  b: string;
  /** Steps in an epoch, by which epochs become steps. */
  stepsPerEpoch: (batch: number) => number;
}

/**
 * The config of a new run.
 * @throws CycleganError `usage` for a value that cannot be meant or is not built yet
 */
export function resolveConfig(options: RunOptions, folders: Folders): RunConfig {
  checkOptions(options);
  const preset = presets[options.preset ?? 'tiny'];
  const size = options.size ?? preset.size;
  const ngf = options.ngf ?? preset.ngf;
  const batch = options.batch ?? 1;
  const duration = resolveDuration(options, preset, folders.stepsPerEpoch(batch));
  const { steps } = duration;
  // The reference's margin of 30 pixels in 256, at any size.
  const margin = options.size === undefined ? preset.loadSize : Math.round((size * 286) / 256);
  return {
    format: 'cyclegan-run',
    version: 1,
    a: folders.a,
    b: folders.b,
    networks: {
      generator: {
        kind: 'resnet',
        blocks: options.blocks ?? preset.blocks,
        ngf,
        inputChannels: 3,
        outputChannels: 3,
      },
      discriminator: { kind: 'patch', ndf: ngf, layers: 3, inputChannels: 3 },
    },
    size,
    loadSize: options.loadSize ?? margin,
    batch,
    seed: options.seed ?? 0,
    ...duration,
    learningRate: options.lr ?? 2e-4,
    gan: options.gan === 'vanilla' ? 'vanilla' : 'lsgan',
    lambdaA: options.lambdaA ?? 10,
    lambdaB: options.lambdaB ?? 10,
    lambdaIdentity: options.lambdaIdentity ?? 0.5,
    pool: options.pool ?? 50,
    engine: 'ort',
    device: 'cpu',
    checkpointEvery: options.checkpointEvery ?? clamp(Math.ceil(steps / 10), 10, 1000),
    reportEvery: clamp(Math.round(steps / 1000), 1, 100),
    sampleEvery: clamp(Math.ceil(steps / 20), 5, 500),
  };
}

function resolveDuration(
  options: RunOptions,
  preset: (typeof presets)[PresetName],
  stepsPerEpoch: number,
): Pick<RunConfig, 'steps' | 'decaySteps' | 'epochs' | 'decayEpochs'> {
  if (options.steps !== undefined) {
    const decaySteps = options.decaySteps ?? 0;
    if (decaySteps > options.steps)
      throw wrong('decay-steps', `at most the steps, ${options.steps}`, decaySteps);
    return { steps: options.steps, decaySteps, epochs: null, decayEpochs: null };
  }
  if ('steps' in preset && options.epochs === undefined && options.decayEpochs === undefined) {
    const decaySteps = Math.min(options.decaySteps ?? preset.decaySteps, preset.steps);
    return { steps: preset.steps, decaySteps, epochs: null, decayEpochs: null };
  }
  const epochs = options.epochs ?? 100;
  const decayEpochs = options.decayEpochs ?? ('epochs' in preset ? preset.decayEpochs : epochs);
  return {
    steps: (epochs + decayEpochs) * stepsPerEpoch,
    decaySteps: decayEpochs * stepsPerEpoch,
    epochs,
    decayEpochs,
  };
}

function checkOptions({ engine, device, gan, lrPolicy, size, loadSize, lr }: RunOptions): void {
  const later = (what: string, expected: string, got: string) =>
    new CycleganError(
      'usage',
      `[train] ${what}: expected ${expected}, got ${got}, which is not built yet. Use ${expected}.`,
    );
  if (engine === 'tfjs') throw later('engine', 'ort', engine);
  if (device === 'cuda' || device === 'webgpu') throw later('device', 'cpu or auto', device);
  if (gan === 'wgangp') throw later('gan', 'lsgan or vanilla', gan);
  if (lrPolicy !== undefined && lrPolicy !== 'linear') throw later('lr-policy', 'linear', lrPolicy);
  const least = discriminatorMinSize(3);
  if (size !== undefined && (size % SIZE_MULTIPLE !== 0 || size < least || size > 2048)) {
    throw wrong('size', `a multiple of ${SIZE_MULTIPLE} from ${least} to 2048`, size);
  }
  if (loadSize !== undefined && size !== undefined && loadSize < size) {
    throw wrong('load-size', `at least the size, ${size}`, loadSize);
  }
  if (lr !== undefined && !(lr > 0 && lr < 1)) throw wrong('lr', 'a number above 0 and below 1', lr);
}

function wrong(what: string, expected: string, got: number): CycleganError {
  return new CycleganError(
    'usage',
    `[train] ${what}: expected ${expected}, got ${got}. Choose another value.`,
  );
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}

/**
 * The config of a run that goes on: the old one, with more steps where they are asked for.
 * @throws CycleganError `run` naming the first option that says otherwise than the run folder
 */
export function resumeConfig(options: RunOptions, old: RunConfig, folders: Folders): RunConfig {
  checkOptions(options);
  const asked: [string, unknown, unknown][] = [
    ['size', options.size, old.size],
    ['load-size', options.loadSize, old.loadSize],
    ['ngf', options.ngf, old.networks.generator.ngf],
    ['blocks', options.blocks, old.networks.generator.blocks],
    ['batch', options.batch, old.batch],
    ['seed', options.seed, old.seed],
    ['lr', options.lr, old.learningRate],
    ['gan', options.gan, old.gan],
    ['lambda-a', options.lambdaA, old.lambdaA],
    ['lambda-b', options.lambdaB, old.lambdaB],
    ['lambda-identity', options.lambdaIdentity, old.lambdaIdentity],
    ['pool', options.pool, old.pool],
  ];
  const preset = options.preset === undefined ? undefined : presets[options.preset];
  if (preset) {
    if (options.size === undefined) asked.push(['preset size', preset.size, old.size]);
    if (options.ngf === undefined) asked.push(['preset ngf', preset.ngf, old.networks.generator.ngf]);
    if (options.blocks === undefined)
      asked.push(['preset blocks', preset.blocks, old.networks.generator.blocks]);
  }
  for (const [what, wanted, kept] of asked) {
    if (wanted !== undefined && wanted !== kept) {
      throw new CycleganError(
        'run',
        `[train] resume: expected ${what} ${kept} as in the run's config.json, got ${wanted}. Leave the option out, or begin another run.`,
      );
    }
  }
  const lengthened = options.steps ?? options.epochs ?? options.decayEpochs ?? options.decaySteps;
  const duration =
    lengthened === undefined
      ? {}
      : resolveDuration(
          { decaySteps: old.decaySteps, ...definedOnly(options) },
          presets.paper,
          folders.stepsPerEpoch(old.batch),
        );
  return {
    ...old,
    a: folders.a,
    b: folders.b,
    ...duration,
    checkpointEvery: options.checkpointEvery ?? old.checkpointEvery,
  };
}

function definedOnly<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}

/**
 * The learning rate's factor at a step, counted from 1. With epochs it changes between them, as in the reference:
 * 1 − max(0, E − epochs)/(decayEpochs + 1); with steps the same formula goes by steps.
 */
export function rateFactor(config: RunConfig, step: number, epoch: number): number {
  const [at, flat, decay] =
    config.epochs !== null && config.decayEpochs !== null
      ? [epoch, config.epochs, config.decayEpochs]
      : [step, config.steps - config.decaySteps, config.decaySteps];
  return 1 - Math.max(0, at - flat) / (decay + 1);
}
