/** Engine `tfjs` by itself, in plain JavaScript: it leaks nothing, resumes to the last bit, and takes all networks. */
import { createRequire } from 'node:module';
import { createTfjsEngine, type EngineOptions, type Load } from '@cyclegan/train';
import { afterEach, describe, expect, it } from 'vitest';
import { runSteps, tinyEngine } from './engine-support.mjs';

const require = createRequire(import.meta.url);
const tf = require('@tensorflow/tfjs') as { memory(): { numTensors: number } };

const load: Load = (name) => {
  if (name !== '@tensorflow/tfjs') throw new Error('this test is of plain JavaScript');
  return require(name);
};
const small = (changes: Partial<EngineOptions> = {}) =>
  tinyEngine({ seed: 2, height: 8, width: 8, ...changes });
const open = (changes: Partial<EngineOptions> = {}) => createTfjsEngine({ ...small(changes), load });

const { networks, objective } = tinyEngine();
const { generator, discriminator } = networks;

const before = tf.memory().numTensors;
afterEach(() => {
  expect(tf.memory().numTensors, 'tensors after dispose').toBe(before);
});

describe('engine tfjs', () => {
  it('holds as many tensors after each step and sample as before, once the pools are full', async () => {
    const options = small({
      pool: 2,
      networks: { generator: { ...generator, norm: 'batch' }, discriminator },
    });
    const engine = await open(options);
    await runSteps(engine, options, 0, 3);
    const full = tf.memory().numTensors;
    await runSteps(engine, options, 3, 6);
    expect(tf.memory().numTensors).toBe(full);
    const image = new Float32Array(3 * 8 * 8).fill(0.5);
    await engine.sample({ a: image, b: image });
    await engine.setState(await engine.getState());
    expect(tf.memory().numTensors).toBe(full);
    await engine.dispose();
    await engine.dispose();
  });

  it('gives back the state that it was given, and goes on from it to the last bit', async () => {
    const options = small({
      batch: 2,
      networks: { generator: { ...generator, norm: 'batch' }, discriminator },
    });
    const whole = await open(options);
    await runSteps(whole, options, 0, 3);
    const state = await whole.getState();
    const resumed = await open({ ...options, seed: 9 });
    await resumed.setState(state);
    expect(await resumed.getState()).toEqual(state);
    expect(state.updates).toBe(3);
    expect(state.pools.A.length).toBe(3 * 3 * 8 * 8);
    const further = await runSteps(resumed, options, 3, 5);
    expect(further).toEqual(await runSteps(whole, options, 3, 5));
    expect(await resumed.getState()).toEqual(await whole.getState());
    await whole.dispose();
    await resumed.dispose();
  });

  it('translates samples one by one as it does many', async () => {
    const engine = await open();
    const size = 3 * 8 * 8;
    const images = (n: number) => Float32Array.from({ length: n * size }, (_, i) => Math.sin(i * i));
    const both = await engine.sample({ a: images(2), b: images(2) });
    const second = images(2).slice(size);
    const alone = await engine.sample({ a: second, b: second });
    expect(both.recB.slice(size)).toEqual(alone.recB);
    expect(both.fakeB.slice(size)).toEqual(alone.fakeB);
    expect(both.fakeB.slice(0, size)).not.toEqual(alone.fakeB);
    await engine.dispose();
  });

  it('takes the threads that it is given', async () => {
    const engine = await open({ threads: 3 });
    expect(process.env['TF_NUM_INTRAOP_THREADS']).toBe('3');
    await engine.dispose();
  });

  it('knows every operator of every objective', async () => {
    for (const norm of ['instance', 'batch', 'none'] as const) {
      for (const gan of ['lsgan', 'vanilla', 'wgangp'] as const) {
        const others = {
          norm,
          dropout: gan === 'vanilla',
          upsample: gan === 'lsgan' ? 'resize' : 'transpose',
        } as const;
        const sized = { ...generator, ...others };
        const unet = { ...sized, kind: 'unet', downs: 5 } as const;
        for (const [made, judge] of [
          [sized, { kind: 'pixel', ndf: 2, norm }],
          [unet, { kind: 'patch', ndf: 2, layers: 3, norm }],
        ] as const) {
          const engine = await open({
            networks: { generator: made, discriminator: judge },
            objective: { ...objective, gan },
            height: 32,
            width: 32,
          });
          await engine.dispose();
        }
      }
    }
  });
});
