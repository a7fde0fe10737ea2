// Evaluation of models whose results are known by hand: a negative, a copy, a grey one.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeFeatureModel } from '../../../test/support/feature-model.js';
import {
  createEvaluator,
  type EvaluateOptions,
  evaluate,
  openFeatureModel,
  type PictureSet,
  type Translate,
} from '../dist/evaluation/index.js';
import { temporaryFolder } from './temp-folder.js';

const folder = temporaryFolder();
const shape = { channels: 3, height: 12, width: 16 };
const elements = 3 * 12 * 16;

/** Waves of each image's own length, on the steps of 8 bits. */
function pictures(count: number, seed: number): Float32Array {
  return Float32Array.from({ length: count * elements }, (_, at) => {
    const image = Math.floor(at / elements);
    return Math.round(100 * Math.sin((at % elements) * (0.1 + 0.01 * image) + seed)) / 127.5;
  });
}

function setOf(images: Float32Array, name: string): PictureSet {
  return {
    count: images.length / elements,
    shape,
    name: (index) => `${name}${index}.png`,
    read: async (indices) => {
      const read = new Float32Array(indices.length * elements);
      for (const [at, index] of indices.entries()) {
        read.set(images.subarray(index * elements, (index + 1) * elements), at * elements);
      }
      return read;
    },
  };
}

const negative: Translate = async (images) => images.map((value) => -value);
const half: Translate = async (images) => images.map((value) => value / 2);
const mean = (values: Iterable<number>) => {
  const all = [...values];
  return all.reduce((sum, value) => sum + value, 0) / all.length;
};
const meanSize = (images: Float32Array) => mean(images.map(Math.abs));

const a = pictures(11, 0);
const b = a.map((value) => -value);
const options: EvaluateOptions = {
  sets: { A: setOf(a, 'a'), B: setOf(b, 'b') },
  paired: true,
  translate: { AtoB: negative, BtoA: half },
};

describe('evaluate', () => {
  it('measures against the answers, there and back, and what doing nothing would score', async () => {
    const { metrics, untranslated, images } = await evaluate(options);
    expect(metrics).toMatchObject({ l1_AtoB: 0, psnr_AtoB: Number.POSITIVE_INFINITY, ssim_AtoB: 1 });
    expect(metrics['structure_AtoB']).toBeCloseTo(1, 9);
    expect(metrics['change_AtoB']).toBeCloseTo(2 * meanSize(a), 6);
    // There by the negative, back by half: −x/2.
    expect(metrics['cycle_A']).toBeCloseTo(1.5 * meanSize(a), 6);
    expect(metrics['cycle_B']).toBeCloseTo(1.5 * meanSize(a), 6);
    expect(metrics['l1_BtoA']).toBeCloseTo(1.5 * meanSize(a), 6);
    expect(untranslated['l1_AtoB']).toBeCloseTo(2 * meanSize(a), 6);
    expect(untranslated['l1_BtoA']).toBeCloseTo(2 * meanSize(a), 6);
    expect(Object.keys(untranslated).some((name) => name.startsWith('change'))).toBe(false);
    expect(images.AtoB).toHaveLength(11);
    expect(images.BtoA?.[10]?.l1).toBeCloseTo(1.5 * meanSize(a.subarray(10 * elements)), 6);
  });

  it('without answers or the way back it leaves out what it cannot measure', async () => {
    const { metrics, images } = await evaluate({ ...options, paired: false, translate: { BtoA: half } });
    expect(metrics).toEqual({ change_BtoA: expect.closeTo(meanSize(b) / 2, 6) });
    expect(Object.keys(images)).toEqual(['BtoA']);
  });

  it('measures one direction when asked, and its cycle all the same', async () => {
    const { metrics } = await evaluate({ ...options, paired: false, directions: ['BtoA'] });
    expect(Object.keys(metrics).sort()).toEqual(['change_BtoA', 'cycle_B']);
  });

  it('says how far it is, to the end, and stops on request', async () => {
    const progress: { done: number; total: number; what: string }[] = [];
    await evaluate({ ...options, onProgress: (at) => progress.push(at) });
    expect(progress.map(({ done }) => done)).toEqual([0, 8, 11, 19]);
    expect(progress[1]).toEqual({ done: 8, total: 22, what: 'AtoB a8.png' });
    const abort = new AbortController();
    const stopped = evaluate({ ...options, signal: abort.signal, onProgress: () => abort.abort() });
    await expect(stopped).rejects.toMatchObject({ code: 'aborted' });
  });

  it('with features measures the sets, and warns of small ones', async () => {
    const features = await openFeatureModel({
      model: await writeFeatureModel({ path: join(folder, 'f.onnx') }),
    });
    const warnings: string[] = [];
    const more = { ...options, features, onWarning: (message: string) => warnings.push(message) };
    const { metrics, untranslated } = await evaluate(more);
    expect(metrics['fid_AtoB']).toBeCloseTo(0, 5);
    expect(metrics['kid_AtoB']).toBeLessThan(0);
    expect(metrics['memorization_AtoB']).toBeCloseTo(0, 6);
    expect(metrics['fid_BtoA']).toBeGreaterThan(1e-3);
    expect(untranslated['fid_AtoB']).toBeGreaterThan(1e-3);
    expect(untranslated['fid_BtoA']).toBe(untranslated['fid_AtoB']);
    expect(warnings).toEqual([expect.stringMatching(/FID of 11 images in 16 dimensions/)]);
    // By the threshold given: with one of 2 every set counts as memorised.
    const strict = await evaluate({ ...more, threshold: 2, directions: ['BtoA'] });
    expect(strict.metrics['mifid_BtoA']).toBeCloseTo(
      (metrics['fid_BtoA'] ?? 0) / (metrics['memorization_BtoA'] ?? 0),
      4,
    );
    await features.dispose();
  });
});

describe('createEvaluator', () => {
  const sample = async (images: { a: Float32Array; b: Float32Array }) => {
    expect(images.a.length).toBe(images.b.length);
    const fakeB = await negative(images.a, 0);
    const fakeA = await half(images.b, 0);
    return { fakeB, recA: await half(fakeB, 0), fakeA, recB: await negative(fakeA, 0) };
  };

  it.each([true, false])('measures as evaluate does, with names that stay: pairs %s', async (paired) => {
    // Without pairs also fewer of B than of A.
    const ofB = paired ? b : b.subarray(0, 5 * elements);
    const model = await writeFeatureModel({ path: join(folder, `e${paired}.onnx`) });
    const evaluator = await createEvaluator({
      a,
      b: ofB,
      paired,
      shapes: { A: shape, B: shape },
      sample,
      features: { model },
      chunk: 4,
    });
    const metrics = await evaluator.evaluate();
    const features = await openFeatureModel({ model });
    const sets = { A: setOf(a, 'a'), B: setOf(ofB, 'b') };
    const expected = await evaluate({ ...options, sets, paired, features });
    expect(Object.keys(metrics).sort()).toEqual(Object.keys(expected.metrics).sort());
    for (const [name, value] of Object.entries(expected.metrics)) {
      expect([name, metrics[name]]).toEqual([
        name,
        Number.isFinite(value) ? expect.closeTo(value, 4) : value,
      ]);
    }
    expect(await evaluator.evaluate()).toEqual(metrics);
    await features.dispose();
    await evaluator.dispose();
    await evaluator.dispose();
  });

  it('translates no more than a chunk at once', async () => {
    const sizes: number[] = [];
    const counting = (images: { a: Float32Array; b: Float32Array }) => {
      sizes.push(images.a.length / elements);
      return sample(images);
    };
    const shapes = { A: shape, B: shape };
    const evaluator = await createEvaluator({ a, b, paired: false, shapes, sample: counting, chunk: 4 });
    await evaluator.evaluate();
    expect(sizes).toEqual([4, 4, 3]);
  });
});
