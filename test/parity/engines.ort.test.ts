/**
 * Engine `tfjs` against engine `ort`: TensorFlow.js's own autodiff and Adam against the step graph's. In plain
 * JavaScript always, and on TensorFlow where tfjs-node is installed (docs/tfjs-engine.md).
 */
import { createRequire } from 'node:module';
import { parameterCount } from '@cyclegan/model';
import {
  createOrtEngine,
  createTfjsEngine,
  type Engine,
  type EngineOptions,
  groupNames,
  groupParameters,
  type Load,
  lossNames,
} from '@cyclegan/train';
import { describe, expect, it } from 'vitest';
import { runSteps, tinyEngine } from '../../packages/train/test/engine-support.mjs';

const require = createRequire(new URL('../../packages/train/package.json', import.meta.url));
const only =
  (wanted: string): Load =>
  (name) => {
    if (name !== wanted) throw new Error('not asked for in this test');
    return require(name);
  };

/** Whether the package is there and its addon loads. */
function loads(name: string): boolean {
  try {
    require(name);
    return true;
  } catch {
    console.warn(`SKIPPED parity of engine tfjs on ${name}: it does not load here. See docs/tfjs-engine.md.`);
    return false;
  }
}

const platforms = [
  { name: '@tensorflow/tfjs', there: true },
  { name: '@tensorflow/tfjs-node', there: loads('@tensorflow/tfjs-node') },
];

const { networks, objective } = tinyEngine();
const { generator } = networks;
const cases: [string, Partial<EngineOptions>][] = [
  ['lsgan, identity, pool', {}],
  [
    'vanilla, no identity',
    { objective: { ...objective, gan: 'vanilla', lambdaIdentity: 0 }, height: 8, width: 8 },
  ],
  ['batch 2, no pool', { batch: 2, pool: 0, height: 8, width: 8 }],
  [
    'unet with dropout, pixel discriminator, grey B',
    {
      objective: { ...objective, lambdaIdentity: 0 },
      networks: {
        generator: { ...generator, kind: 'unet', downs: 5, dropout: true, outputChannels: 1 },
        discriminator: { kind: 'pixel', ndf: 4, norm: 'instance' },
      },
      height: 32,
      width: 32,
    },
  ],
  [
    'batch norm, resize, batch 2, not square',
    {
      batch: 2,
      height: 8,
      width: 12,
      networks: {
        generator: { ...generator, norm: 'batch', upsample: 'resize', dropout: true },
        discriminator: { kind: 'patch', layers: 1, ndf: 4, norm: 'batch' },
      },
    },
  ],
];
const wgangp: Partial<EngineOptions> = { objective: { ...objective, gan: 'wgangp' }, height: 8, width: 8 };

/** Largest difference as a share of the expected's largest value. */
function relative(got: ArrayLike<number>, expected: ArrayLike<number>, floor = 1e-9): number {
  expect(got.length).toBe(expected.length);
  let [difference, scale] = [0, floor];
  for (let i = 0; i < expected.length; i++) {
    difference = Math.max(difference, Math.abs((got[i] ?? Number.NaN) - (expected[i] ?? 0)));
    scale = Math.max(scale, Math.abs(expected[i] ?? 0));
  }
  return difference / scale;
}

async function bothEngines(changes: Partial<EngineOptions>, load: Load) {
  // With seed 1 an activation comes so near a ReLU's kink that rounding decides.
  const options = tinyEngine({ seed: 2, ...changes });
  return { options, ort: await createOrtEngine(options), tfjs: await createTfjsEngine({ ...options, load }) };
}

const dispose = (...engines: Engine[]) => Promise.all(engines.map((engine) => engine.dispose()));

/** Losses of the first step, and of every parameter the gradient: after one step Adam's m is (1 − β₁) times that. */
async function expectFirstStep({ options, ort, tfjs }: Awaited<ReturnType<typeof bothEngines>>) {
  const [[expected], [got]] = [await runSteps(ort, options, 0, 1), await runSteps(tfjs, options, 0, 1)];
  for (const loss of lossNames) {
    const wanted = expected?.[loss] ?? Number.NaN;
    expect(Math.abs((got?.[loss] ?? Number.NaN) - wanted), loss).toBeLessThanOrEqual(1e-4 * Math.abs(wanted));
  }
  const [truth, state] = [await ort.getState(), await tfjs.getState()];
  for (const group of groupNames) {
    const { m } = truth.groups[group];
    // What is taken away again by a normalisation has no gradient but rounding.
    const floor = 1e-5 * m.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expect(floor).toBeGreaterThan(0);
    let at = 0;
    for (const parameter of groupParameters(options.networks, group)) {
      const end = at + parameterCount([parameter]);
      const [ours, theirs] = [state.groups[group].m.subarray(at, end), m.subarray(at, end)];
      expect(relative(ours, theirs, floor), `gradient of ${parameter.name}`).toBeLessThan(1e-3);
      at = end;
    }
    expect(relative(state.groups[group].buffers, truth.groups[group].buffers)).toBeLessThan(1e-4);
  }
  for (const domain of ['A', 'B'] as const) {
    expect(relative(state.pools[domain], truth.pools[domain]), `pool ${domain}`).toBeLessThan(1e-3);
  }
}

describe.each(platforms)('engine tfjs on $name', ({ name, there }) => {
  describe.skipIf(!there).each(cases)('%s', (_, changes) => {
    it("gives engine ort's losses and gradients, and stays beside it for ten steps", async () => {
      const both = await bothEngines(changes, only(name));
      const { options, ort, tfjs } = both;
      await expectFirstStep(both);
      const [expected, got] = [await runSteps(ort, options, 1, 10), await runSteps(tfjs, options, 1, 10)];
      for (const loss of lossNames) {
        const column = (of: typeof got) => of.map((losses) => losses[loss]);
        expect(relative(column(got), column(expected)), `${loss} over ten steps`).toBeLessThan(1e-2);
      }
      await dispose(ort, tfjs);
    });
  });

  describe.skipIf(!there)('wgangp', () => {
    it("gives engine ort's losses and gradients", async () => {
      const both = await bothEngines(wgangp, only(name));
      await expectFirstStep(both);
      await dispose(both.ort, both.tfjs);
    });
  });

  describe.skipIf(!there)('a run that changes its engine', () => {
    it('goes on as one that does not, from ort to tfjs and back', async () => {
      const { options, ort, tfjs } = await bothEngines({ batch: 2, height: 8, width: 8 }, only(name));
      const unbroken = await createOrtEngine(options);
      const expected = await runSteps(unbroken, options, 0, 9);
      const losses = await runSteps(ort, options, 0, 3);
      await tfjs.setState(await ort.getState());
      losses.push(...(await runSteps(tfjs, options, 3, 6)));
      const handed = await tfjs.getState();
      await ort.setState(handed);
      // Nothing is lost on the way, not a bit.
      expect(await ort.getState()).toEqual(handed);
      losses.push(...(await runSteps(ort, options, 6, 9)));
      for (const loss of lossNames) {
        expect(
          relative(
            losses.map((each) => each[loss]),
            expected.map((each) => each[loss]),
          ),
          loss,
        ).toBeLessThan(1e-2);
      }
      const [end, truth] = [await ort.getState(), await unbroken.getState()];
      expect(end.updates).toBe(9);
      expect(relative(end.pools.B, truth.pools.B)).toBeLessThan(1e-2);
      expect(relative(end.groups.G.v, truth.groups.G.v)).toBeLessThan(1e-2);
      const image = Float32Array.from({ length: 3 * 8 * 8 }, (_, i) => Math.sin(i));
      await tfjs.setState(end);
      const [samples, others] = [
        await tfjs.sample({ a: image, b: image }),
        await ort.sample({ a: image, b: image }),
      ];
      for (const key of ['fakeB', 'recA', 'fakeA', 'recB'] as const) {
        expect(relative(samples[key], others[key]), key).toBeLessThan(1e-3);
      }
      await dispose(ort, tfjs, unbroken);
    });
  });
});
