/** The noise of a step: what its graph asks for, and that the values are a function of seed and name alone. */
import { type NoiseInput, noiseFor, noiseInputs, stepGraph } from '@cyclegan/train';
import { describe, expect, it } from 'vitest';
import { noisyStep, tinyStep } from './step-support.ts';

const mask: NoiseInput = { name: 'noise.dropout.0', dtype: 'bool', shape: [2, 3, 101] };
const share: NoiseInput = { name: 'noise.mix.0', dtype: 'float32', shape: [4000, 1, 1, 1] };

describe('noiseInputs', () => {
  it('are none for the usual step', () => {
    expect(noiseInputs(stepGraph(tinyStep))).toEqual([]);
  });

  it('are a mask for each dropout layer and pass, and a share for each discriminator', () => {
    const inputs = noiseInputs(stepGraph(noisyStep));
    const masks = inputs.filter(({ dtype }) => dtype === 'bool');
    // Six passes of two blocks; four times ngf channels at a quarter of the size.
    expect(masks).toHaveLength(12);
    expect(new Set(masks.map(({ name }) => name)).size).toBe(12);
    for (const { name, shape } of masks) {
      expect(name).toMatch(/^noise\.dropout\.\d+$/);
      expect(shape).toEqual([1, 8, 3, 4]);
    }
    expect(inputs.filter(({ dtype }) => dtype === 'float32')).toEqual([
      { name: 'noise.mix.0', dtype: 'float32', shape: [1, 1, 1, 1] },
      { name: 'noise.mix.1', dtype: 'float32', shape: [1, 1, 1, 1] },
    ]);
  });

  it('leave out the masks of passes that no loss wants', () => {
    const objective = { ...noisyStep.objective, lambdaIdentity: 0, lambdaGp: 0 };
    const inputs = noiseInputs(stepGraph({ ...noisyStep, objective }));
    expect(inputs.map(({ name }) => name).sort()).toEqual(
      Array.from({ length: 8 }, (_, i) => `noise.dropout.${i}`),
    );
  });
});

describe('noiseFor', () => {
  it('gives the same for the same seed and name, and other values for another', () => {
    expect(noiseFor(mask, 7)).toEqual(noiseFor(mask, 7));
    expect(noiseFor(mask, 7)).not.toEqual(noiseFor(mask, 8));
    expect(noiseFor(mask, 7)).not.toEqual(noiseFor({ ...mask, name: 'noise.dropout.1' }, 7));
    expect(noiseFor(share, 4294967295)).not.toEqual(noiseFor(share, 0));
  });

  it('gives a mask of zeros and ones at even odds, whatever its length', () => {
    for (const length of [1, 31, 32, 33, 606]) {
      const drawn = noiseFor({ ...mask, shape: [length] }, 3);
      expect(drawn).toBeInstanceOf(Uint8Array);
      expect(drawn).toHaveLength(length);
      expect(drawn.every((value) => value === 0 || value === 1)).toBe(true);
    }
    const many = noiseFor({ ...mask, shape: [100_000] }, 3) as Uint8Array;
    const mean = many.reduce((sum, value) => sum + value, 0) / many.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.01);
    // Neighbours, and elements a word of the generator apart, agree as often as not.
    for (const apart of [1, 2, 4, 8, 16, 32, 64]) {
      const alike = many.slice(apart).filter((value, i) => value === many[i]).length / (many.length - apart);
      expect(Math.abs(alike - 0.5)).toBeLessThan(0.01);
    }
  });

  it('gives shares spread evenly over [0, 1)', () => {
    const drawn = noiseFor(share, 3) as Float32Array;
    expect(drawn).toBeInstanceOf(Float32Array);
    expect(drawn.every((value) => value >= 0 && value < 1)).toBe(true);
    const tenths = Array.from({ length: 10 }, (_, i) =>
      drawn.filter((value) => Math.floor(10 * value) === i),
    );
    for (const tenth of tenths) expect(Math.abs(tenth.length / drawn.length - 0.1)).toBeLessThan(0.02);
  });
});
