/** `cyclegan train`: two folders of images in, a run folder with checkpoints, samples and a report out. */
import { defineCommand } from '../command.js';
import { INTERRUPTED } from '../interrupt.js';
import { real, whole } from '../options.js';
import { quoted } from '../output.js';
import { showTrainEvent } from '../train-events.js';

export const train = defineCommand({
  command: 'train',
  describe: 'Train on two folders of images that need not be paired',
  about:
    'Learns to turn images of folder A into images like those of folder B, and back. The run folder holds checkpoints, sample pictures, the losses and a report; Ctrl-C saves, and --resume goes on exactly where it stopped.',
  positionals: {},
  options: {
    a: {
      type: 'string',
      demandOption: true,
      describe: 'Folder with the images of domain A',
    },
    b: {
      type: 'string',
      demandOption: true,
      describe: 'Folder with the images of domain B',
    },
    out: {
      type: 'string',
      demandOption: true,
      describe: 'Run folder that is made, or gone on with by --resume',
    },
    resume: { type: 'boolean', describe: 'Go on from the last checkpoint of the run folder' },
    preset: {
      choices: ['tiny', 'small', 'paper'],
      defaultDescription: 'tiny',
      describe:
        'Sizes that go together: tiny to try things out on a CPU, small for icons and textures, paper for the networks of the paper (a GPU, or patience)',
    },
    size: {
      type: 'number',
      defaultDescription: "the preset's",
      coerce: whole('size', 16),
      describe: 'Side in pixels of the crops it trains on; a multiple of 4',
    },
    'load-size': {
      type: 'number',
      defaultDescription: "the preset's, or --size and an eighth",
      coerce: whole('load-size', 16),
      describe: 'Side to which images are scaled before the random crop; more than --size shows more variety',
    },
    ngf: {
      type: 'number',
      defaultDescription: "the preset's",
      coerce: whole('ngf', 1),
      describe: 'Width of the generators; twice as wide is four times the work',
    },
    blocks: {
      type: 'number',
      defaultDescription: "the preset's",
      coerce: whole('blocks', 0),
      describe: 'Residual blocks of the generators; more change more than texture',
    },
    steps: {
      type: 'number',
      defaultDescription: "the preset's",
      coerce: whole('steps', 1),
      conflicts: ['epochs', 'decay-epochs'],
      describe: 'Training steps in all, instead of --epochs',
    },
    'decay-steps': {
      type: 'number',
      coerce: whole('decay-steps', 0),
      conflicts: ['epochs', 'decay-epochs'],
      describe: 'How many of the --steps, at their end, the learning rate takes to fall to zero',
    },
    epochs: {
      type: 'number',
      coerce: whole('epochs', 1),
      describe: 'Epochs with the full learning rate, instead of --steps',
    },
    'decay-epochs': {
      type: 'number',
      coerce: whole('decay-epochs', 0),
      describe: 'Epochs after those, over which the learning rate falls to zero',
    },
    batch: {
      type: 'number',
      defaultDescription: '1',
      coerce: whole('batch', 1),
      describe: 'Images of each domain in a step',
    },
    seed: {
      type: 'number',
      defaultDescription: '0',
      coerce: whole('seed', 0, 2 ** 31 - 1),
      describe: 'Same seed, same machine, same images: the same run',
    },
    engine: {
      choices: ['ort'],
      defaultDescription: 'ort',
      describe: 'What computes: ort is onnxruntime',
    },
    device: {
      choices: ['auto', 'cpu'],
      defaultDescription: 'auto',
      describe: 'Where it computes',
    },
    'lambda-a': {
      type: 'number',
      defaultDescription: '10',
      coerce: real('lambda-a', 0),
      describe: 'Weight of coming back: A to B and back must give A again',
    },
    'lambda-b': {
      type: 'number',
      defaultDescription: '10',
      coerce: real('lambda-b', 0),
      describe: 'The same for B to A and back',
    },
    'lambda-identity': {
      type: 'number',
      defaultDescription: '0.5',
      coerce: real('lambda-identity', 0),
      describe: 'Weight of leaving alone what is already of the target domain; keeps colours, 0 turns it off',
    },
    gan: {
      choices: ['lsgan', 'vanilla'],
      defaultDescription: 'lsgan',
      describe: 'Adversarial loss: least squares, or cross-entropy',
    },
    pool: {
      type: 'number',
      defaultDescription: '50',
      coerce: whole('pool', 0),
      describe: 'Earlier translations that are shown to the discriminators again; steadies the training',
    },
    lr: {
      type: 'number',
      defaultDescription: '0.0002',
      coerce: real('lr', 0),
      describe: 'Learning rate of Adam',
    },
    'lr-policy': {
      choices: ['linear'],
      defaultDescription: 'linear',
      describe: 'How the learning rate falls at the end',
    },
    threads: {
      type: 'number',
      coerce: whole('threads', 1),
      defaultDescription: 'all cores',
      describe: 'Cores to use',
    },
    'checkpoint-every': {
      type: 'number',
      defaultDescription: 'a tenth of the steps',
      coerce: whole('checkpoint-every', 1),
      describe: 'Steps between two checkpoints',
    },
  },
  examples: [
    ['train --a photos --b paintings --out runs/monet --preset small', 'train with a preset'],
    ['train --a photos --b paintings --out runs/monet --preset small --resume', 'go on where it stopped'],
    [
      'train --a a --b b --out runs/try --preset tiny --steps 200 --seed 1',
      'a short try that can be repeated',
    ],
  ],

  async handler(args, { output, signal }) {
    const { train: runTraining } = await import('@cyclegan/train');
    const progress = await output.progress('train');
    const result = await runTraining({
      a: args.a,
      b: args.b,
      out: args.out,
      resume: args.resume,
      preset: args.preset,
      size: args.size,
      loadSize: args.loadSize,
      ngf: args.ngf,
      blocks: args.blocks,
      steps: args.steps,
      decaySteps: args.decaySteps,
      epochs: args.epochs,
      decayEpochs: args.decayEpochs,
      batch: args.batch,
      seed: args.seed,
      engine: args.engine,
      device: args.device,
      lambdaA: args.lambdaA,
      lambdaB: args.lambdaB,
      lambdaIdentity: args.lambdaIdentity,
      gan: args.gan,
      pool: args.pool,
      lr: args.lr,
      lrPolicy: args.lrPolicy,
      checkpointEvery: args.checkpointEvery,
      threads: args.threads,
      signal,
      onEvent: (event) => showTrainEvent(event, output, progress),
    });
    const { run, step, steps, finished, losses, dataWait } = result;
    output.result(
      finished
        ? `Trained ${steps} steps. Next: cyclegan export ${quoted(run)} --out bundles/mine`
        : `Stopped and saved at step ${step} of ${steps}. Go on with: cyclegan train --a ${quoted(args.a)} --b ${quoted(args.b)} --out ${quoted(run)} --resume`,
      { run, step, steps, finished, losses, dataWait },
    );
    return finished ? 0 : INTERRUPTED;
  },
});
