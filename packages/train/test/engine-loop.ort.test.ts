/** Several steps as one run of the loop's graph: to the last bit what single steps give, whatever is in the step. */
import { createOrtEngine, type EngineOptions, type EngineState } from '@cyclegan/train';
import { describe, expect, it } from 'vitest';
import { inputsOf, runSteps, tinyEngine } from './engine-support.mjs';

const steps = 8;

async function train(changes: Partial<EngineOptions>) {
  const options = tinyEngine(changes);
  const engine = await createOrtEngine(options);
  try {
    const losses = await runSteps(engine, options, 0, steps);
    const [input] = inputsOf(options, 0, 1);
    const sample = await engine.sample({
      a: input?.a ?? new Float32Array(),
      b: input?.b ?? new Float32Array(),
    });
    return { losses, state: await engine.getState(), sample };
  } finally {
    await engine.dispose();
  }
}

const { networks, objective } = tinyEngine();
const { generator, discriminator } = networks;
const variants: Record<string, Partial<EngineOptions>> = {
  'a pool that is soon full': {},
  'a pool that is never full': { pool: 50 },
  'batches of two, larger than the pool': { batch: 2, pool: 1 },
  'no pool, and one channel to three': {
    pool: 0,
    networks: { generator: { ...generator, inputChannels: 1 }, discriminator },
    objective: { ...objective, lambdaIdentity: 0 },
  },
  'dropout, batch normalisation, a gradient penalty and recomputation': {
    networks: {
      generator: { ...generator, dropout: true, norm: 'batch' },
      discriminator: { ...discriminator, norm: 'batch' },
    },
    objective: { ...objective, gan: 'wgangp' },
    recompute: true,
  },
};

describe('a loop of steps equals single steps to the last bit', () => {
  it.each(Object.entries(variants))('in runs of seven and one, with %s', async (_, changes) => {
    const single = await train({ ...changes, stepsPerRun: 1 });
    expect(single.losses.length).toBe(steps);
    expect(single.losses[7]).not.toEqual(single.losses[6]);
    expect(await train({ ...changes, stepsPerRun: 7 })).toEqual(single);
  });

  it('in runs of two', async () => {
    expect(await train({ stepsPerRun: 2 })).toEqual(await train({ stepsPerRun: 1 }));
  });
});

describe('the state of a loop', () => {
  it('goes over to single steps and back in the middle of a filling pool', async () => {
    const changes = { pool: 5 };
    const straight = await train(changes);
    const options = { single: tinyEngine(changes), loop: tinyEngine({ ...changes, stepsPerRun: 3 }) };
    const single = await createOrtEngine(options.single);
    const loop = await createOrtEngine(options.loop);
    const losses = await runSteps(loop, options.loop, 0, 3);
    await single.setState(await loop.getState());
    losses.push(...(await runSteps(single, options.single, 3, 4)));
    const between: EngineState = await single.getState();
    expect([between.updates, between.pools.A.length]).toEqual([4, 4 * 3 * 16 * 16]);
    await loop.setState(between);
    losses.push(...(await runSteps(loop, options.loop, 4, steps)));
    expect(losses).toEqual(straight.losses);
    expect(await loop.getState()).toEqual(straight.state);
    await Promise.all([single.dispose(), loop.dispose()]);
  });
});

describe('a state', () => {
  it.each([1, 2])(
    'is not changed by later steps, %i a run, once it is given or taken',
    async (stepsPerRun) => {
      const options = tinyEngine({ stepsPerRun });
      const engine = await createOrtEngine(options);
      await runSteps(engine, options, 0, 2);
      const given = await engine.getState();
      const copy = structuredClone(given);
      await runSteps(engine, options, 2, 5);
      expect(given).toEqual(copy);
      const later = await engine.getState();
      expect(later).not.toEqual(copy);
      await engine.setState(given);
      await runSteps(engine, options, 2, 5);
      expect(given).toEqual(copy);
      expect(await engine.getState()).toEqual(later);
      await engine.dispose();
    },
  );
});
