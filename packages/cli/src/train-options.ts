/** The options of `cyclegan train`, by what they are about, as its help shows them. */

import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Options } from 'yargs';
import { group, real, whole } from './options.js';
import { wrongValue } from './usage.js';

const MAX_CONFIG_BYTES = 1_000_000;

function number(name: string, least: number, describe: string, byDefault?: string) {
  return {
    type: 'number',
    coerce: whole(name, least),
    describe,
    ...(byDefault === undefined ? {} : { defaultDescription: byDefault }),
  } as const;
}

function weight(name: string, describe: string, byDefault: string) {
  return { type: 'number', coerce: real(name, 0), describe, defaultDescription: byDefault } as const;
}

const preset = "the preset's";

export const trainOptions = {
  ...group('What to train on:', {
    a: { type: 'string', demandOption: true, describe: 'Images of domain A: a folder, or TFRecord files' },
    b: { type: 'string', demandOption: true, describe: 'Images of domain B' },
    out: {
      type: 'string',
      demandOption: true,
      describe: 'Run folder that is made, or gone on with by --resume',
    },
    resume: { type: 'boolean', describe: 'Go on from the last checkpoint of the run folder' },
    'init-from': {
      type: 'string',
      describe: 'Fine-tune: begin with the weights of this run, checkpoint or bundle, and with its networks',
    },
    config: {
      type: 'string',
      config: true,
      configParser: readConfigFile,
      describe: 'YAML file with any of these options by their names; the command line counts more',
    },
    preset: {
      choices: ['tiny', 'small', 'paper'],
      defaultDescription: 'tiny',
      describe: 'Settings that go together; see above',
    },
    size: number('size', 8, 'Side in pixels of the crops it trains on; a multiple of 4', preset),
    'load-size': number(
      'load-size',
      8,
      'Side to which images are scaled before the random crop; more than --size shows more variety',
      "the preset's, or --size and an eighth",
    ),
    preprocess: {
      choices: [
        'resize_and_crop',
        'crop',
        'scale_width',
        'scale_width_and_crop',
        'scale_shortside_and_crop',
        'none',
      ],
      defaultDescription: 'resize_and_crop',
      describe: "How images come to the training size; the reference's names",
    },
    flip: {
      type: 'boolean',
      defaultDescription: 'true',
      describe: 'Mirror images left and right by chance; --no-flip for letters and signs',
    },
    serial: { type: 'boolean', describe: 'Show A and B in the same order, instead of a random B to each A' },
    'max-images': number(
      'max-images',
      2,
      'Take only so many images of each domain, the first by name',
      'all',
    ),
    'channels-a': number('channels-a', 1, 'Channels of A: 3, or 1 for grey', '3'),
    'channels-b': number('channels-b', 1, 'Channels of B: 3, or 1 for grey', '3'),
    cache: { type: 'string', describe: 'Folder for decoded images, so that later epochs need not decode' },
  }),
  ...group('Networks:', {
    generator: {
      choices: ['resnet', 'resnet_6', 'resnet_9', 'unet', 'unet_128', 'unet_256'],
      defaultDescription: 'resnet',
      describe: 'Generators: resnet with --blocks, or unet, as deep as the size allows or as named',
    },
    ngf: number('ngf', 1, 'Width of the generators; twice as wide is four times the work', preset),
    blocks: number('blocks', 0, 'Residual blocks of a resnet; more change more than texture', preset),
    discriminator: {
      choices: ['basic', 'n_layers', 'pixel'],
      defaultDescription: 'basic',
      describe: 'basic judges patches of 70 px, n_layers as many as --d-layers say, pixel each pixel',
    },
    ndf: number('ndf', 1, 'Width of the discriminators', 'as --ngf'),
    'd-layers': number('d-layers', 1, 'Layers of an n_layers discriminator', '3'),
    norm: {
      choices: ['instance', 'batch', 'none'],
      defaultDescription: 'instance',
      describe: 'Normalisation after each convolution; batch keeps running statistics, none takes none',
    },
    dropout: { type: 'boolean', describe: 'Dropout of one half in the generators while training' },
    upsample: {
      choices: ['transpose', 'resize'],
      defaultDescription: 'transpose',
      describe: 'How generators enlarge; resize avoids checkerboard patterns',
    },
    init: {
      choices: ['normal', 'xavier', 'kaiming', 'orthogonal'],
      defaultDescription: 'normal',
      describe: 'How the first weights are drawn',
    },
    'init-gain': { ...weight('init-gain', 'Their spread', '0.02') },
  }),
  ...group('Objective:', {
    gan: {
      choices: ['lsgan', 'vanilla', 'wgangp'],
      defaultDescription: 'lsgan',
      describe: 'Adversarial loss: least squares, cross-entropy, or Wasserstein with gradient penalty',
    },
    'lambda-a': weight('lambda-a', 'Weight of coming back: A to B and back must give A again', '10'),
    'lambda-b': weight('lambda-b', 'The same for B to A and back', '10'),
    'lambda-identity': weight(
      'lambda-identity',
      'Weight of leaving alone what is already of the target domain; keeps colours, 0 turns it off',
      '0.5',
    ),
    'lambda-gan-a': weight('lambda-gan-a', 'Weight of looking like B', '1'),
    'lambda-gan-b': weight('lambda-gan-b', 'Weight of looking like A', '1'),
    'lambda-gp': weight('lambda-gp', 'Weight of the gradient penalty of wgangp', '10'),
    pool: number(
      'pool',
      0,
      'Earlier translations that are shown to the discriminators again; steadies the training',
      '50',
    ),
  }),
  ...group('Schedule:', {
    steps: {
      ...number('steps', 1, 'Training steps in all, instead of --epochs', preset),
      conflicts: ['epochs', 'decay-epochs'],
    },
    'decay-steps': {
      ...number(
        'decay-steps',
        0,
        'How many of the --steps, at their end, the learning rate takes to fall to zero',
      ),
      conflicts: ['epochs', 'decay-epochs'],
    },
    epochs: number('epochs', 1, 'Epochs with the full learning rate, instead of --steps', preset),
    'decay-epochs': number('decay-epochs', 0, 'Epochs after those, over which it falls to zero'),
    batch: number('batch', 1, 'Images of each domain in a step', '1'),
    lr: weight('lr', 'Learning rate of Adam', '0.0002'),
    'lr-policy': {
      choices: ['linear', 'step', 'cosine', 'plateau'],
      defaultDescription: 'linear',
      describe:
        'How the rate falls: linearly at the end, in steps, along a cosine, or when it gets no better',
    },
    'lr-decay-every': number(
      'lr-decay-every',
      1,
      'With --lr-policy step: epochs, or steps where --steps counts, after which the rate is a tenth',
      '50 epochs, a quarter of the steps',
    ),
    beta1: weight('beta1', "Adam's first beta", '0.5'),
    beta2: weight('beta2', "Adam's second beta", '0.999'),
    seed: {
      type: 'number',
      defaultDescription: '0',
      coerce: whole('seed', 0, 2 ** 31 - 1),
      describe: 'Same seed, same machine, same images: the same run',
    },
  }),
  ...group('Engine:', {
    engine: {
      choices: ['ort', 'tfjs'],
      defaultDescription: 'ort',
      describe: 'What computes: onnxruntime, or TensorFlow.js where it is installed',
    },
    device: {
      choices: ['auto', 'cpu', 'cuda', 'webgpu'],
      defaultDescription: 'auto',
      describe: 'Where onnxruntime computes; auto tries what is there and takes the fastest',
    },
    threads: number('threads', 1, 'Cores to use', 'all'),
    'steps-per-run': {
      type: 'string',
      coerce: stepsPerRun,
      defaultDescription: 'auto',
      describe: 'On cuda: steps that the device makes before the host hears of it',
    },
    recompute: {
      type: 'boolean',
      describe: 'Compute activations of the residual blocks twice instead of keeping them',
    },
  }),
  ...group('Checkpoints and evaluation:', {
    'checkpoint-every': number(
      'checkpoint-every',
      1,
      'Steps between two checkpoints',
      'a tenth of the steps, at most 1,000',
    ),
    keep: number('keep', 1, 'Checkpoints that stay, beside the best', '3'),
    'val-a': { type: 'string', describe: 'Held-out images of A, to see how good it is while it trains' },
    'val-b': { type: 'string', describe: 'Held-out images of B' },
    'val-paired': { type: 'boolean', describe: 'Held-out images of the same name belong together' },
    'eval-every': number('eval-every', 1, 'Steps between two evaluations', 'with every sample'),
    features: { type: 'string', describe: 'Feature network (ONNX) for FID and KID; see docs/evaluation.md' },
    best: {
      type: 'string',
      defaultDescription: 'l1 of pairs, kid with --features, else cycle',
      describe: 'Figure that decides which checkpoint is the best',
    },
    patience: number('patience', 1, 'Stop after so many evaluations without a better one'),
    open: { type: 'boolean', describe: 'Show the report in the browser, and keep it up to date' },
    tensorboard: { type: 'boolean', describe: 'Write event files for TensorBoard into the run folder' },
  }),
} as const satisfies Readonly<Record<string, Options>>;

function stepsPerRun(value: unknown): number | 'auto' {
  if (value === 'auto') return value;
  const steps = Number(value);
  if (Number.isSafeInteger(steps) && steps >= 1 && steps <= 1024) return steps;
  throw wrongValue('steps-per-run', 'auto or a whole number from 1 to 1024');
}

/** For yargs, which wants it at once; the parser is loaded only when there is a file. */
function readConfigFile(path: string): object {
  const { parse } = createRequire(import.meta.url)('yaml') as typeof import('yaml');
  let values: unknown;
  try {
    if (statSync(path).size > MAX_CONFIG_BYTES) throw new Error('too long');
    values = parse(readFileSync(path, 'utf8'), { maxAliasCount: 0 });
  } catch {
    throw wrongValue('config', 'a YAML file that can be read');
  }
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    throw wrongValue('config', 'a YAML file of options by their names, such as `size: 128`');
  }
  return values;
}
