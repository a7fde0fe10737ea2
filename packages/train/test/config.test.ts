/** What a run is: presets, defaults, durations, what a resumed run may change, and the learning rate's course. */
import {
  type PresetName,
  presets,
  type RunConfig,
  type RunOptions,
  rateFactor,
  resolveConfig,
  resumeConfig,
} from '@cyclegan/train';
import { describe, expect, it } from 'vitest';

const folders = { a: 'photos', b: 'paintings', stepsPerEpoch: (batch: number) => Math.ceil(100 / batch) };
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
    [{ size: 66 }, /size: expected a multiple of 4 from 24 to 2048, got 66/],
    [{ size: 4096 }, /from 24 to 2048, got 4096/],
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
    [{ preset: 'small' }, 'run', /expected preset size 64 .* got 128/],
    [{ lr: 1e-3 }, 'run', /expected lr 0\.0002 .* got 0\.001/],
    [{ gan: 'vanilla' }, 'run', /expected gan lsgan .* got vanilla/],
    [{ pool: 0 }, 'run', /expected pool 50 .* got 0/],
    [{ steps: 50 }, 'usage', /decay-steps: expected at most the steps, 50, got 100/],
    [{ steps: 900, epochs: 9 }, 'usage', /steps or epochs, got both/],
    [{ engine: 'tfjs' }, 'usage', /expected ort, got tfjs/],
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

  it('never falls below zero, though folders shrank and epochs became more', () => {
    expect(rateFactor(resolve({ epochs: 1, decayEpochs: 1 }), 150, 9)).toBe(0);
  });
});
