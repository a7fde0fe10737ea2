/**
 * What a run is: presets, options as a user gives them, and the resolved config that the run folder keeps. Knows no
 * files.
 */
import { availableParallelism } from 'node:os';
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
  size: count.max(2048),
  loadSize: count.max(8192),
  batch: count.max(1024),
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
  pool: z.number().int().nonnegative().max(100_000),
  engine: z.literal('ort'),
  device: z.literal('cpu'),
  /** Of the engine. Sums are formed in another order with another number, so that it belongs to an exact resume. */
  threads: z.number().int().min(1).max(1024),
  checkpointEvery: count,
  reportEvery: count,
  sampleEvery: count,
});

/** What `config.json` holds. */
export type RunConfig = z.infer<typeof runConfigSchema>;

/** Options that a user may give, steps or epochs; what is left out comes from the preset. */
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
  /** Threads of the engine; default as many as cores, and on resuming as many as before. */
  threads?: number | undefined;
}

/**
 * Sizes that go together. `tiny` learns a change of texture or colour on a laptop in some ten minutes; `small`
 * wants some hours there; `paper` is the paper's setting, for a GPU box.
 */
export const presets = {
  tiny: { size: 64, loadSize: 72, ngf: 32, blocks: 4, steps: 3000, decaySteps: 1500 },
  small: { size: 128, loadSize: 143, ngf: 64, blocks: 6, steps: 20_000, decaySteps: 10_000 },
  paper: { size: 256, loadSize: 286, ngf: 64, blocks: 9, epochs: 100, decayEpochs: 100 },
} as const;

/** One of {@link presets}. */
export type PresetName = keyof typeof presets;

interface Folders {
  a: string;
  b: string;
  /** Steps in an epoch, by which epochs become steps. */
  stepsPerEpoch: (batch: number) => number;
}

/**
 * The config of a new run.
 * @throws CycleganError `usage` for a value that cannot be meant or is not built yet, and for values that do not go
 *   together
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
  return checkConfig({
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
    threads: options.threads ?? availableParallelism(),
    checkpointEvery: options.checkpointEvery ?? clamp(Math.ceil(steps / 10), 10, 1000),
    reportEvery: clamp(Math.round(steps / 1000), 1, 100),
    sampleEvery: clamp(Math.ceil(steps / 20), 5, 500),
  });
}

/** Holds a config to what config.json may hold, so that no run is begun that could not be resumed. */
function checkConfig(config: RunConfig): RunConfig {
  const issue = runConfigSchema.safeParse(config, { reportInput: true }).error?.issues[0];
  if (issue) {
    const expected = issue.message.replace(/^.*?expected /, '').replace(/, received .*$/, '');
    throw wrong(issue.path.join('.'), expected, issue.input);
  }
  if (config.loadSize < config.size)
    throw wrong('load-size', `at least the size, ${config.size}`, config.loadSize);
  return config;
}

function resolveDuration(
  options: RunOptions,
  preset: (typeof presets)[PresetName],
  stepsPerEpoch: number,
): Pick<RunConfig, 'steps' | 'decaySteps' | 'epochs' | 'decayEpochs'> {
  const inSteps = (options.steps ?? options.decaySteps) !== undefined;
  const inEpochs = (options.epochs ?? options.decayEpochs) !== undefined;
  if (inSteps && inEpochs) throw wrong('duration', 'steps or epochs', 'both');
  if (inSteps || (!inEpochs && 'steps' in preset)) {
    // The preset's decay belongs to the preset's steps.
    const own = options.steps === undefined && 'steps' in preset ? preset : undefined;
    const steps = options.steps ?? own?.steps;
    if (steps === undefined) throw wrong('decay-steps', 'steps beside it', 'a preset of epochs');
    const decaySteps = options.decaySteps ?? own?.decaySteps ?? 0;
    if (decaySteps > steps) throw wrong('decay-steps', `at most the steps, ${steps}`, decaySteps);
    return { steps, decaySteps, epochs: null, decayEpochs: null };
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

/** @throws CycleganError `usage` for a value that is wrong whatever the folders hold */
export function checkOptions({ engine, device, gan, lrPolicy, size, lr }: RunOptions): void {
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
  if (lr !== undefined && !(lr > 0 && lr < 1)) throw wrong('lr', 'a number above 0 and below 1', lr);
}

function wrong(what: string, expected: string, got: unknown): CycleganError {
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
  const given: [string, unknown, unknown][] = [
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
    if (options.size === undefined) given.push(['preset size', preset.size, old.size]);
    if (options.ngf === undefined) given.push(['preset ngf', preset.ngf, old.networks.generator.ngf]);
    if (options.blocks === undefined)
      given.push(['preset blocks', preset.blocks, old.networks.generator.blocks]);
  }
  for (const [what, wanted, kept] of given) {
    if (wanted !== undefined && wanted !== kept) {
      throw new CycleganError(
        'run',
        `[train] resume: expected ${what} ${kept} as in the run's config.json, got ${wanted}. Leave the option out, or begin another run.`,
      );
    }
  }
  const { steps, decaySteps, epochs, decayEpochs } = options;
  const inEpochs = (epochs ?? decayEpochs) !== undefined;
  const asked = inEpochs || (steps ?? decaySteps) !== undefined;
  // What is not asked for anew stays, as long as both are steps or both are epochs.
  const wanted = inEpochs
    ? {
        ...options,
        epochs: epochs ?? old.epochs ?? undefined,
        decayEpochs: decayEpochs ?? old.decayEpochs ?? undefined,
      }
    : { steps: steps ?? old.steps, decaySteps: decaySteps ?? old.decaySteps };
  const duration = asked ? resolveDuration(wanted, presets.paper, folders.stepsPerEpoch(old.batch)) : {};
  return checkConfig({
    ...old,
    a: folders.a,
    b: folders.b,
    ...duration,
    checkpointEvery: options.checkpointEvery ?? old.checkpointEvery,
    threads: options.threads ?? old.threads,
  });
}

/**
 * The learning rate's factor at a step, counted from 1. With epochs it changes between them, as in the reference:
 * 1 − max(0, E − epochs)/(decayEpochs + 1); with steps the same formula goes by steps. Never below zero, which epochs
 * would go when images were taken out of the folders.
 */
export function rateFactor(config: RunConfig, step: number, epoch: number): number {
  const [at, flat, decay] =
    config.epochs !== null && config.decayEpochs !== null
      ? [epoch, config.epochs, config.decayEpochs]
      : [step, config.steps - config.decaySteps, config.decaySteps];
  return Math.max(0, 1 - Math.max(0, at - flat) / (decay + 1));
}
