/** The config of a new run: options over a preset over the reference's defaults. */
import { resolveNetworks } from './networks.js';
import { checkOptions, type RunOptions, wrong } from './options.js';
import { type Preset, presets } from './presets.js';
import { type RunConfig, runConfigSchema } from './schema.js';

/** What must be known of the images and the machine to resolve a config. */
export interface Surroundings {
  a: string;
  b: string;
  /** Steps in an epoch, by which epochs become steps. */
  stepsPerEpoch: (batch: number) => number;
  /** Cores of the machine. */
  threads: number;
}

/**
 * The config of a new run. `device` is `cpu` where the options leave it to be chosen.
 * @throws CycleganError `usage` for a value that cannot be meant, and for values that do not go together
 */
export function resolveConfig(options: RunOptions, images: Surroundings): RunConfig {
  checkOptions(options);
  const preset = presets[options.preset ?? 'tiny'];
  const size = options.size ?? preset.size;
  const networks = resolveNetworks(options, preset, size);
  const batch = options.batch ?? 1;
  const duration = resolveDuration(options, preset, images.stepsPerEpoch(batch));
  const { steps } = duration;
  // The reference's margin of 30 pixels in 256, at any size.
  const margin = options.size === undefined ? preset.loadSize : Math.round((size * 286) / 256);
  const { inputChannels, outputChannels } = networks.generator;
  const sampleEvery = clamp(Math.ceil(steps / 20), 5, 500);
  return checkConfig({
    format: 'cyclegan-run',
    version: 1,
    a: images.a,
    b: images.b,
    networks,
    size,
    loadSize: options.loadSize ?? margin,
    preprocess: options.preprocess ?? 'resize_and_crop',
    flip: options.flip ?? true,
    pairing: options.serial ? 'serial' : 'random',
    maxImages: options.maxImages ?? null,
    cache: options.cache ?? null,
    batch,
    seed: options.seed ?? 0,
    init: { type: options.init ?? 'normal', gain: options.initGain ?? 0.02 },
    initFrom: options.initFrom ?? null,
    ...duration,
    learningRate: options.lr ?? 2e-4,
    lrPolicy: options.lrPolicy ?? 'linear',
    lrDecayEvery: decayInterval(options, duration),
    adam: { beta1: options.beta1 ?? 0.5, beta2: options.beta2 ?? 0.999 },
    gan: options.gan ?? 'lsgan',
    lambdaGanA: options.lambdaGanA ?? 1,
    lambdaGanB: options.lambdaGanB ?? 1,
    lambdaA: options.lambdaA ?? 10,
    lambdaB: options.lambdaB ?? 10,
    // An identity needs the same channels on both sides.
    lambdaIdentity: options.lambdaIdentity ?? (inputChannels === outputChannels ? 0.5 : 0),
    lambdaGp: options.lambdaGp ?? 10,
    pool: options.pool ?? 50,
    engine: options.engine ?? 'ort',
    device: options.device === undefined || options.device === 'auto' ? 'cpu' : options.device,
    recompute: options.recompute ?? false,
    stepsPerRun: options.stepsPerRun ?? 'auto',
    threads: options.threads ?? images.threads,
    checkpointEvery: options.checkpointEvery ?? clamp(Math.ceil(steps / 10), 10, 1000),
    keep: options.keep ?? 3,
    reportEvery: clamp(Math.round(steps / 1000), 1, 100),
    sampleEvery,
    held: heldOut(options),
    evalEvery: options.evalEvery ?? sampleEvery,
    features: options.features ?? null,
    bestMetric: options.best ?? null,
    patience: options.patience ?? null,
    tensorboard: options.tensorboard ?? false,
  });
}

/** The held-out images that the options name. */
export function heldOut({ valA, valB, valPaired }: RunOptions): RunConfig['held'] {
  return valA === undefined || valB === undefined ? null : { a: valA, b: valB, paired: valPaired ?? false };
}

/** Holds a config to what config.json may hold, so that no run is begun that could not be resumed. */
export function checkConfig(config: RunConfig): RunConfig {
  const parsed = runConfigSchema.safeParse(config, { reportInput: true });
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    if (!issue) throw parsed.error;
    const expected = issue.message.replace(/^.*?expected /, '').replace(/, received .*$/, '');
    throw wrong(issue.path.join('.'), expected, issue.input);
  }
  if (config.preprocess === 'resize_and_crop' && config.loadSize < config.size) {
    throw wrong('load-size', `at least the size, ${config.size}`, config.loadSize);
  }
  const { inputChannels, outputChannels } = config.networks.generator;
  if (inputChannels !== outputChannels && config.lambdaIdentity > 0) {
    throw wrong('lambda-identity', 'none where A and B have other channels', config.lambdaIdentity);
  }
  if (config.recompute && config.networks.generator.kind !== 'resnet') {
    throw wrong('recompute', 'a resnet generator beside it', config.networks.generator.kind);
  }
  if (config.held === null) {
    const needs = { best: config.bestMetric, patience: config.patience, features: config.features };
    const [name, value] = Object.entries(needs).find(([, given]) => given !== null) ?? [];
    if (name) throw wrong(name, 'held-out images (--val-a, --val-b) beside it', value);
  }
  // In the schema's order of keys, as it will be read back.
  return parsed.data;
}

/** How long a run is: in steps or in epochs, each with its decay. */
export function resolveDuration(
  options: RunOptions,
  preset: Preset,
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

/** The reference's 50 epochs; a quarter of a run that counts steps, as those are of its 200. */
function decayInterval(
  { lrPolicy, lrDecayEvery }: RunOptions,
  { epochs, steps }: Pick<RunConfig, 'epochs' | 'steps'>,
): number | null {
  if (lrPolicy !== 'step') return null;
  return lrDecayEvery ?? (epochs === null ? Math.ceil(steps / 4) : 50);
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
