/** The config of a run that goes on: the old one, with what may change where that is asked for. */
import type { DiscriminatorConfig, GeneratorConfig } from '@cyclegan/model/networks';
import { CycleganError } from '@cyclegan/runtime-core';
import { resolveNetworks } from './networks.js';
import { checkOptions, type RunOptions } from './options.js';
import { presets } from './presets.js';
import { checkConfig, heldOut, resolveDuration, type Surroundings } from './resolve.js';
import type { RunConfig } from './schema.js';

/**
 * Length, engine, device, threads, folders, checkpoints and evaluation may change; what the losses are made of may
 * not.
 * @throws CycleganError `run` naming the first option that says otherwise than the run folder
 */
export function resumeConfig(options: RunOptions, old: RunConfig, images: Surroundings): RunConfig {
  checkOptions(options);
  for (const [what, wanted, kept] of fixed(options, old)) {
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
  const duration = asked ? resolveDuration(wanted, presets.paper, images.stepsPerEpoch(old.batch)) : {};
  return checkConfig({
    ...old,
    a: images.a,
    b: images.b,
    ...duration,
    cache: options.cache ?? old.cache,
    engine: options.engine ?? old.engine,
    device: options.device === undefined || options.device === 'auto' ? old.device : options.device,
    recompute: options.recompute ?? old.recompute,
    stepsPerRun: options.stepsPerRun ?? old.stepsPerRun,
    threads: options.threads ?? old.threads,
    checkpointEvery: options.checkpointEvery ?? old.checkpointEvery,
    keep: options.keep ?? old.keep,
    held: heldOut(options) ?? old.held,
    evalEvery: options.evalEvery ?? old.evalEvery,
    features: options.features ?? old.features,
    bestMetric: options.best ?? old.bestMetric,
    patience: options.patience ?? old.patience,
    tensorboard: options.tensorboard ?? old.tensorboard,
  });
}

/** Option, value asked for (undefined: none), value kept. */
function fixed(options: RunOptions, old: RunConfig): [string, unknown, unknown][] {
  const { generator, discriminator } = old.networks;
  const preset = options.preset === undefined ? undefined : presets[options.preset];
  const { generator: askedGenerator, discriminator: askedDiscriminator } = named(options, old);
  return [
    ['size', options.size ?? preset?.size, old.size],
    ['load-size', options.loadSize, old.loadSize],
    ['preprocess', options.preprocess, old.preprocess],
    ['flip', options.flip, old.flip],
    ['serial', options.serial, old.pairing === 'serial'],
    ['max-images', options.maxImages, old.maxImages],
    ['ngf', options.ngf ?? preset?.ngf, generator.ngf],
    ['ndf', options.ndf, discriminator.ndf],
    [
      'blocks',
      options.blocks ?? (generator.kind === 'resnet' ? preset?.blocks : undefined),
      generator.kind === 'resnet' ? generator.blocks : undefined,
    ],
    ['norm', options.norm, generator.norm],
    ['dropout', options.dropout, generator.dropout],
    ['upsample', options.upsample, generator.upsample],
    ['channels-a', options.channelsA, generator.inputChannels],
    ['channels-b', options.channelsB, generator.outputChannels],
    ['generator', askedGenerator, inWords(generator)],
    ['discriminator', askedDiscriminator, inWords(discriminator)],
    ['init', options.init, old.init.type],
    ['init-gain', options.initGain, old.init.gain],
    ['init-from', options.initFrom, old.initFrom],
    ['batch', options.batch, old.batch],
    ['seed', options.seed, old.seed],
    ['lr', options.lr, old.learningRate],
    ['lr-policy', options.lrPolicy, old.lrPolicy],
    ['lr-decay-every', options.lrDecayEvery, old.lrDecayEvery],
    ['beta1', options.beta1, old.adam.beta1],
    ['beta2', options.beta2, old.adam.beta2],
    ['gan', options.gan, old.gan],
    ['lambda-gan-a', options.lambdaGanA, old.lambdaGanA],
    ['lambda-gan-b', options.lambdaGanB, old.lambdaGanB],
    ['lambda-a', options.lambdaA, old.lambdaA],
    ['lambda-b', options.lambdaB, old.lambdaB],
    ['lambda-identity', options.lambdaIdentity, old.lambdaIdentity],
    ['lambda-gp', options.lambdaGp, old.lambdaGp],
    ['pool', options.pool, old.pool],
  ];
}

/** What the options name by kind, in words; undefined where they name none. */
function named(options: RunOptions, old: RunConfig): { generator?: string; discriminator?: string } {
  const blocks = old.networks.generator.kind === 'resnet' ? old.networks.generator.blocks : undefined;
  const asked = resolveNetworks({ blocks, ...options }, presets.paper, old.size);
  const judged = options.discriminator !== undefined || options.dLayers !== undefined;
  return {
    ...(options.generator === undefined ? {} : { generator: inWords(asked.generator) }),
    ...(judged ? { discriminator: inWords(asked.discriminator) } : {}),
  };
}

function inWords(network: GeneratorConfig | DiscriminatorConfig): string {
  switch (network.kind) {
    case 'resnet':
      return `a resnet of ${network.blocks} blocks`;
    case 'unet':
      return `a unet of ${network.downs} halvings`;
    case 'patch':
      return `a patch discriminator of ${network.layers} layers`;
    case 'pixel':
      return 'a pixel discriminator';
  }
}
