/** The image pool against the reference's rule, image by image, with images that are told apart by their values. */
import { createImagePool, type ImagePool } from '@cyclegan/train';
import { describe, expect, it } from 'vitest';

const elements = 4;
const image = (id: number) => new Array(elements).fill(id);

interface Seen {
  fresh: number;
  stored: number;
  /** Shown from a slot that the same batch had filled. */
  fromSameBatch: number;
  slots: number[];
}

/**
 * Runs the pool beside a list that follows the reference's rule: fill first; then every image is shown and not kept,
 * or takes the place of one in the list, which is shown. Fails at the first step that no draw of the rule explains.
 */
function follow(
  pool: ImagePool,
  capacity: number,
  batch: number,
  steps: number,
  begin = 0,
  held: number[] = [],
): Seen {
  const seen: Seen = { fresh: 0, stored: 0, fromSameBatch: 0, slots: new Array(capacity).fill(0) };
  for (let step = begin; step < begin + steps; step++) {
    const fresh = Array.from({ length: batch }, (_, item) => 1 + step * batch + item);
    const { stored, pick } = pool.choose(step);
    const both = [...stored, ...fresh.flatMap(image)];
    fresh.forEach((own, item) => {
      const at = Number(pick[item]) * elements;
      const shown = both.slice(at, at + elements);
      expect(shown).toEqual(image(shown[0] ?? Number.NaN));
      const id = shown[0] ?? Number.NaN;
      if (held.length < capacity) {
        expect(id).toBe(own);
        held.push(own);
      } else if (id === own) seen.fresh++;
      else {
        const slot = held.indexOf(id);
        expect(slot, `image ${id} shown at step ${step}`).toBeGreaterThanOrEqual(0);
        held[slot] = own;
        seen.stored++;
        seen.slots[slot] = (seen.slots[slot] ?? 0) + 1;
        if (fresh.includes(id)) seen.fromSameBatch++;
      }
    });
    pool.store(Float32Array.from(fresh.flatMap(image)));
    expect([...pool.getImages()]).toEqual(held.flatMap(image));
  }
  return seen;
}

const make = (capacity: number, batch: number, more: { seed?: number; domain?: 'A' | 'B' } = {}) =>
  createImagePool({ capacity, batch, elements, seed: 5, domain: 'A', ...more });

describe('the image pool', () => {
  it.each([
    [50, 1],
    [4, 3],
    [3, 4],
    [1, 2],
  ])('of %i, at batch %i, fills first and then swaps half of the time, any slot alike', (capacity, batch) => {
    const seen = follow(make(capacity, batch), capacity, batch, 1000);
    const count = seen.fresh + seen.stored;
    expect(count).toBe(1000 * batch - capacity);
    // Five standard deviations of a fair coin.
    expect(Math.abs(seen.stored - count / 2)).toBeLessThan(2.5 * Math.sqrt(count));
    const expected = seen.stored / capacity;
    const squares = seen.slots.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
    // Chi-square has its mean at the degrees of freedom, and twice that as its variance.
    expect(squares).toBeLessThan(capacity - 1 + 5 * Math.sqrt(2 * capacity));
    expect(seen.fromSameBatch > 0).toBe(batch > 1);
  });

  it('of nothing shows what is fresh', () => {
    const pool = make(0, 2);
    for (let step = 0; step < 20; step++) {
      expect(pool.choose(step).pick).toEqual(BigInt64Array.of(2n, 3n));
      pool.store(new Float32Array(2 * elements));
    }
    expect(pool.getImages()).toHaveLength(0);
  });

  it('goes on after saving and loading as if nothing had been', () => {
    const [whole, first, second] = [make(5, 3), make(5, 3), make(5, 3)];
    follow(whole, 5, 3, 40);
    follow(first, 5, 3, 25);
    const saved = first.getImages();
    second.setImages(saved);
    expect(second.getImages()).toEqual(saved);
    saved.fill(0);
    follow(
      second,
      5,
      3,
      15,
      25,
      [...first.getImages()].filter((_, i) => i % elements === 0),
    );
    expect(second.getImages()).toEqual(whole.getImages());
  });

  it('decides by seed, domain and step alone', () => {
    const decisions = (pool: ImagePool) =>
      Array.from({ length: 60 }, (_, step) => {
        const { pick } = pool.choose(step);
        pool.store(new Float32Array(2 * elements));
        return pick.join();
      });
    expect(decisions(make(2, 2))).toEqual(decisions(make(2, 2)));
    expect(decisions(make(2, 2))).not.toEqual(decisions(make(2, 2, { domain: 'B' })));
    expect(decisions(make(2, 2))).not.toEqual(decisions(make(2, 2, { seed: 6 })));
  });

  it('is not saved in the middle of a step', () => {
    const pool = make(2, 1);
    pool.choose(0);
    expect(() => pool.getImages()).toThrow(/^internal: the pool is saved between choose\(\) and store\(\)/);
  });
});
