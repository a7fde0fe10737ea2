/** What a run is: presets, defaults, durations, what a resumed run may change, and the learning rate's course. */
import {
  freshPlateau,
  lookAt,
  type PresetName,
  presets,
  type RunConfig,
  type RunOptions,
  rateFactor,
  resolveConfig,
  resumeConfig,
} from '@cyclegan/train';
import { describe, expect, it } from 'vitest';

const folders = {
  a: 'photos',
  b: 'paintings',
  stepsPerEpoch: (batch: number) => Math.ceil(100 / batch),
  threads: 2,
};
const resolve = (options: RunOptions = {}) => resolveConfig(options, folders);
const duration = ({ steps, decaySteps, epochs, decayEpochs }: RunConfig) => [
  steps,
  decaySteps,
  epochs,
  decayEpochs,
];

describe('a new run', () => {
  it('has the reference’s objective and optimiser where nothing is said', () => {
    expect(resolve()).toMatchObject({
      batch: 1,
      seed: 0,
      learningRate: 2e-4,
      gan: 'lsgan',
      lambdaA: 10,
      lambdaB: 10,
      lambdaIdentity: 0.5,
      pool: 50,
      networks: {
        discriminator: { kind: 'patch', layers: 3 },
        generator: { inputChannels: 3, outputChannels: 3 },
      },
    });
  });

  it.each(Object.keys(presets) as PresetName[])('takes sizes and duration of the preset %s', (preset) => {
    const { size, loadSize, ngf, blocks, ...time } = presets[preset];
    const config = resolve({ preset });
    expect(config).toMatchObject({
      size,
      loadSize,
      networks: { generator: { ngf, blocks }, discriminator: { ndf: ngf } },
    });
    expect(config).toMatchObject(time);
  });

  it('takes what is given in the place of the preset’s', () => {
    const options = {
      size: 128,
      ngf: 8,
      blocks: 0,
      batch: 4,
      pool: 0,
      lambdaIdentity: 0,
      lr: 1e-3,
      gan: 'vanilla',
    } as const;
    expect(resolve(options)).toMatchObject({
      size: 128,
      loadSize: 143,
      batch: 4,
      pool: 0,
      lambdaIdentity: 0,
      learningRate: 1e-3,
      gan: 'vanilla',
      networks: { generator: { ngf: 8, blocks: 0 }, discriminator: { ndf: 8 } },
    });
    expect(resolve({ size: 128, loadSize: 128 }).loadSize).toBe(128);
  });

  const generator = (part: object) => ({ networks: { generator: part } });
  const discriminator = (part: object) => ({ networks: { discriminator: part } });

  // Each option away from its default, so that one that is dropped on the way shows.
  it.each<[RunOptions, object]>([
    [{ preprocess: 'scale_width_and_crop' }, { preprocess: 'scale_width_and_crop' }],
    [{ flip: false }, { flip: false }],
    [{ serial: true }, { pairing: 'serial' }],
    [{ maxImages: 9 }, { maxImages: 9 }],
    [{ cache: 'pictures' }, { cache: 'pictures' }],
    [{ generator: 'resnet_9' }, generator({ kind: 'resnet', blocks: 9 })],
    [{ generator: 'unet' }, generator({ kind: 'unet', downs: 6 })],
    [{ generator: 'unet', size: 96 }, generator({ kind: 'unet', downs: 5 })],
    [{ generator: 'unet_128', size: 128 }, generator({ kind: 'unet', downs: 7 })],
    [{ generator: 'unet_256', size: 512 }, generator({ kind: 'unet', downs: 8 })],
    [{ ndf: 5 }, discriminator({ kind: 'patch', layers: 3, ndf: 5 })],
    [{ discriminator: 'n_layers', dLayers: 2 }, discriminator({ kind: 'patch', layers: 2 })],
    [{ discriminator: 'pixel' }, discriminator({ kind: 'pixel', ndf: 32 })],
    [{ norm: 'batch' }, { networks: { generator: { norm: 'batch' }, discriminator: { norm: 'batch' } } }],
    [{ dropout: true }, generator({ dropout: true })],
    [{ upsample: 'resize' }, generator({ upsample: 'resize' })],
    [{ channelsA: 1 }, { ...generator({ inputChannels: 1, outputChannels: 3 }), lambdaIdentity: 0 }],
    [
      { channelsA: 1, channelsB: 1 },
      { ...generator({ outputChannels: 1 }), lambdaIdentity: 0.5 },
    ],
    [{ init: 'kaiming', initGain: 0.5 }, { init: { type: 'kaiming', gain: 0.5 } }],
    [{ initFrom: 'runs/old' }, { initFrom: 'runs/old' }],
    [
      { lambdaGanA: 0, lambdaGanB: 2 },
      { lambdaGanA: 0, lambdaGanB: 2 },
    ],
    [{ lambdaGp: 3 }, { lambdaGp: 3 }],
    [{ gan: 'wgangp' }, { gan: 'wgangp' }],
    [{ lrPolicy: 'cosine' }, { lrPolicy: 'cosine', lrDecayEvery: null }],
    [{ lrPolicy: 'step' }, { lrPolicy: 'step', lrDecayEvery: 750 }],
    [{ lrPolicy: 'step', epochs: 8 }, { lrDecayEvery: 50 }],
    [{ lrPolicy: 'step', lrDecayEvery: 7 }, { lrDecayEvery: 7 }],
    [{ beta1: 0.9, beta2: 0.99 }, { adam: { beta1: 0.9, beta2: 0.99 } }],
    [{ engine: 'tfjs' }, { engine: 'tfjs', device: 'cpu' }],
    [{ device: 'webgpu' }, { device: 'webgpu' }],
    [{ stepsPerRun: 8 }, { stepsPerRun: 8 }],
    [{ recompute: true }, { recompute: true }],
    [{ keep: 9 }, { keep: 9 }],
    [
      {
        valA: 'va',
        valB: 'vb',
        valPaired: true,
        patience: 4,
        best: 'ssim',
        features: 'f.onnx',
        evalEvery: 9,
      },
      {
        held: { a: 'va', b: 'vb', paired: true },
        patience: 4,
        bestMetric: 'ssim',
        features: 'f.onnx',
        evalEvery: 9,
      },
    ],
    [{ tensorboard: true }, { tensorboard: true }],
  ])('takes %j', (options, expected) => {
    expect(resolve()).not.toMatchObject(expected);
    expect(resolve(options)).toMatchObject(expected);
  });

  it.each<[RunOptions, (number | null)[]]>([
    [{}, [3000, 1500, null, null]],
    [{ decaySteps: 1000 }, [3000, 1000, null, null]],
    [{ steps: 500 }, [500, 0, null, null]],
    [{ steps: 500, decaySteps: 500 }, [500, 500, null, null]],
    [{ preset: 'paper' }, [20_000, 10_000, 100, 100]],
    [{ preset: 'paper', steps: 500 }, [500, 0, null, null]],
    [{ preset: 'paper', batch: 8, epochs: 3, decayEpochs: 1 }, [52, 13, 3, 1]],
    [{ epochs: 3 }, [600, 300, 3, 3]],
    [{ epochs: 3, decayEpochs: 0 }, [300, 0, 3, 0]],
    [{ decayEpochs: 5 }, [10_500, 500, 100, 5]],
  ])('lasts for %j as long as it should', (options, expected) => {
    expect(duration(resolve(options))).toEqual(expected);
  });

  it.each<[RunOptions, RegExp]>([
    [{ steps: 10, decaySteps: 11 }, /decay-steps: expected at most the steps, 10, got 11/],
    [{ decaySteps: 3001 }, /at most the steps, 3000, got 3001/],
    [{ preset: 'paper', decaySteps: 5 }, /decay-steps: expected steps beside it/],
    [{ steps: 10, epochs: 2 }, /duration: expected steps or epochs, got both/],
    [{ loadSize: 60 }, /load-size: expected at least the size, 64, got 60/],
    [{ size: 66 }, /size: expected a multiple of 4 from 8 to 2048, got 66/],
    [{ size: 4096 }, /from 8 to 2048, got 4096/],
    [{ size: 20 }, /size: expected a multiple of 4 from 24 on with these networks, got 20/],
    [{ size: 96, generator: 'unet_128' }, /a multiple of 128 from 128 on/],
    [{ generator: 'unet', blocks: 3 }, /blocks: expected a generator "resnet" beside it, got unet/],
    [{ dLayers: 2 }, /d-layers: expected discriminator n_layers beside it/],
    [{ channelsA: 2 }, /channels-a: expected 1 \(grey\) or 3 \(colour\), got 2/],
    [{ channelsA: 1, lambdaIdentity: 0.5 }, /lambda-identity: expected none where A and B have other/],
    [{ valA: 'x' }, /val-a and val-b: expected both or neither/],
    [{ patience: 3 }, /patience: expected held-out images .* got 3/],
    [{ best: 'kid' }, /best: expected held-out images/],
    [{ features: 'x.onnx' }, /features: expected held-out images/],
    [{ valPaired: true }, /val-paired: expected held-out images/],
    [{ lrDecayEvery: 5 }, /lr-decay-every: expected lr-policy step beside it/],
    [{ beta1: 1 }, /adam\.beta1: expected number to be <1, got 1/],
    [{ engine: 'tfjs', device: 'webgpu' }, /device: expected auto or cpu with engine tfjs/],
    [{ recompute: true, generator: 'unet' }, /recompute: expected a resnet generator beside it, got unet/],
    [{ keep: 0 }, /keep: expected number to be >0/],
    [{ lr: 0 }, /lr: expected a number above 0 and below 1, got 0/],
    [{ steps: 0 }, /steps: expected number to be >0, got 0/],
    [{ batch: 1.5 }, /batch: expected int, got 1\.5/],
    [{ ngf: 2000 }, /ngf: expected number to be <=1024, got 2000/],
    [{ blocks: -1 }, /blocks: expected number to be >=0, got -1/],
    [{ pool: Number.NaN }, /pool: expected number, got NaN/],
    [{ lambdaA: -1 }, /lambdaA: expected number to be >=0, got -1/],
    [{ checkpointEvery: 0 }, /checkpointEvery: expected number to be >0, got 0/],
  ])('refuses %j', (options, message) => {
    expect(() => resolve(options)).toThrow(message);
    expect(() => resolve(options)).toThrow(expect.objectContaining({ code: 'usage' }));
  });
});

describe('a resumed run', () => {
  const bySteps = resolve({ steps: 500, decaySteps: 100, seed: 3 });
  const byEpochs = resolve({ preset: 'small', epochs: 4, decayEpochs: 2 });
  const resume = (options: RunOptions, old = bySteps) =>
    resumeConfig(options, old, { ...folders, a: 'moved' });

  it('is the old one, wherever the folders are now', () => {
    expect(resume({})).toEqual({ ...bySteps, a: 'moved' });
    expect(resume({ preset: 'tiny', seed: 3, checkpointEvery: 7 })).toEqual({
      ...bySteps,
      a: 'moved',
      checkpointEvery: 7,
    });
  });

  it.each<[RunOptions, RunConfig, (number | null)[]]>([
    [{ steps: 800 }, bySteps, [800, 100, null, null]],
    [{ decaySteps: 200 }, bySteps, [500, 200, null, null]],
    [{ epochs: 9, decayEpochs: 1 }, bySteps, [1000, 100, 9, 1]],
    [{ epochs: 6 }, byEpochs, [800, 200, 6, 2]],
    [{ decayEpochs: 6 }, byEpochs, [1000, 600, 4, 6]],
    [{ steps: 800 }, byEpochs, [800, 200, null, null]],
  ])('lasts with %j as asked for, and else as before', (options, old, expected) => {
    expect(duration(resume(options, old))).toEqual(expected);
    expect(resume(options, old)).toMatchObject({
      reportEvery: old.reportEvery,
      sampleEvery: old.sampleEvery,
    });
  });

  it.each<[RunOptions, string, RegExp]>([
    [{ size: 128 }, 'run', /expected size 64 as in the run's config\.json, got 128/],
    [{ preset: 'small' }, 'run', /expected size 64 .* got 128/],
    [{ generator: 'unet' }, 'run', /expected generator a resnet of 4 blocks .* got a unet of 6 halvings/],
    [{ generator: 'resnet_9' }, 'run', /got a resnet of 9 blocks/],
    [
      { discriminator: 'n_layers', dLayers: 2 },
      'run',
      /a patch discriminator of 3 layers .* got .* 2 layers/,
    ],
    [{ dropout: true }, 'run', /expected dropout false/],
    [{ serial: true }, 'run', /expected serial false/],
    [{ lr: 1e-3 }, 'run', /expected lr 0\.0002 .* got 0\.001/],
    [{ gan: 'vanilla' }, 'run', /expected gan lsgan .* got vanilla/],
    [{ pool: 0 }, 'run', /expected pool 50 .* got 0/],
    [{ steps: 50 }, 'usage', /decay-steps: expected at most the steps, 50, got 100/],
    [{ steps: 900, epochs: 9 }, 'usage', /steps or epochs, got both/],
  ])('refuses %j', (options, code, message) => {
    expect(() => resume(options)).toThrow(message);
    expect(() => resume(options)).toThrow(expect.objectContaining({ code }));
  });
});

describe('the learning rate', () => {
  it('follows the reference’s table over 100 and 100 epochs', () => {
    const config = resolve({ preset: 'paper' });
    const table = [1, 2, 100, 101, 102, 150, 200].map((epoch) => rateFactor(config, epoch * 100, epoch));
    const decayed = (epochs: number) => 1 - epochs / 101;
    [1, 1, 1, decayed(1), decayed(2), decayed(50), decayed(100)].forEach((expected, i) => {
      expect(table[i]).toBeCloseTo(expected, 12);
    });
  });

  it('goes by steps where those are given, and stays above zero to the last', () => {
    const config = resolve({ steps: 1000, decaySteps: 400 });
    const factors = [1, 600, 601, 800, 1000].map((step) => rateFactor(config, step, 1));
    expect(factors).toEqual([1, 1, 1 - 1 / 401, 1 - 200 / 401, 1 - 400 / 401]);
    expect(rateFactor(resolve({ steps: 10 }), 10, 1)).toBe(1);
  });

  it('falls to a tenth in steps', () => {
    const bySteps = resolve({ steps: 100, lrPolicy: 'step', lrDecayEvery: 40 });
    const factors = [1, 40, 41, 80, 81, 100].map((step) => rateFactor(bySteps, step, 1));
    [1, 1, 0.1, 0.1, 0.01, 0.01].forEach((expected, i) => {
      expect(factors[i]).toBeCloseTo(expected, 12);
    });
    const byEpochs = resolve({ preset: 'paper', lrPolicy: 'step' });
    expect([50, 51, 101].map((epoch) => rateFactor(byEpochs, 1, epoch))).toEqual([1, 0.1, 0.1 ** 2]);
  });

  it('falls along a cosine to next to nothing', () => {
    const config = resolve({ steps: 100, lrPolicy: 'cosine' });
    const factors = [1, 26, 51, 100].map((step) => rateFactor(config, step, 1));
    [1, 0.5 + Math.SQRT1_2 / 2, 0.5, 0.00025].forEach((expected, i) => {
      expect(factors[i]).toBeCloseTo(expected, 4);
    });
  });

  it('on a plateau is a fifth after six looks without a hundredth less', () => {
    const config = resolve({ lrPolicy: 'plateau' });
    expect(rateFactor(config, 5, 1)).toBe(1);
    expect(rateFactor(config, 5, 1, 0.04)).toBe(0.04);
    let state = freshPlateau;
    const factors = [10, 9, 8.95, 9, 9, 9, 9, 9, 9, 5, 5].map((metric) => {
      state = lookAt(state, metric);
      return state.factor;
    });
    expect(factors).toEqual([1, 1, 1, 1, 1, 1, 1, 0.2, 0.2, 0.2, 0.2]);
    expect(state).toMatchObject({ best: 5, since: 1 });
    // Where lower is better and below zero, as a similarity turned round.
    expect(lookAt({ best: -0.5, since: 0, factor: 1 }, -0.502)).toMatchObject({ since: 1 });
    expect(lookAt({ best: -0.5, since: 0, factor: 1 }, -0.51)).toMatchObject({ best: -0.51 });
  });

  it('never falls below zero, though folders shrank and epochs became more', () => {
    expect(rateFactor(resolve({ epochs: 1, decayEpochs: 1 }), 150, 9)).toBe(0);
  });
});
