/** The image pool against the reference's rule, image by image, with images that are told apart by their values. */
import { createHostPool, poolChoice, poolFill } from '@cyclegan/train';
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

/** A pool of one domain, as an engine uses it. */
function make(capacity: number, batch: number, more: { seed?: number; domain?: 'A' | 'B' } = {}) {
  const options = { capacity, batch, seed: 5, domain: 'A', ...more } as const;
  return {
    batch,
    capacity,
    choose: (step: number) => poolChoice(options, step),
    host: createHostPool({ capacity, elements }),
  };
}
type Pool = ReturnType<typeof make>;

/**
 * Runs the pool beside a list that follows the reference's rule: fill first; then every image is shown and not kept,
 * or takes the place of one in the list, which is shown. Fails at the first step that no draw of the rule explains.
 */
function follow(
  { batch, capacity, choose, host }: Pool,
  steps: number,
  begin = 0,
  held: number[] = [],
): Seen {
  const seen: Seen = { fresh: 0, stored: 0, fromSameBatch: 0, slots: new Array(capacity).fill(0) };
  for (let step = begin; step < begin + steps; step++) {
    expect(poolFill({ capacity, batch }, step)).toBe(held.length);
    const fresh = Array.from({ length: batch }, (_, item) => 1 + step * batch + item);
    const choice = choose(step);
    const both = [...host.stored(choice), ...fresh.flatMap(image)];
    const pick = host.pick(choice);
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
    host.store(choice, Float32Array.from(fresh.flatMap(image)));
    expect([...host.getImages()]).toEqual(held.flatMap(image));
  }
  return seen;
}

describe('the image pool', () => {
  it.each([
    [50, 1],
    [4, 3],
    [3, 4],
    [1, 2],
  ])('of %i, at batch %i, fills first and then swaps half of the time, any slot alike', (capacity, batch) => {
    const seen = follow(make(capacity, batch), 1000);
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
    const { choose, host } = make(0, 2);
    for (let step = 0; step < 20; step++) {
      const choice = choose(step);
      expect(host.pick(choice)).toEqual(BigInt64Array.of(2n, 3n));
      host.store(choice, new Float32Array(2 * elements));
    }
    expect(host.getImages()).toHaveLength(0);
  });

  it('goes on after saving and loading as if nothing had been', () => {
    const [whole, first, second] = [make(5, 3), make(5, 3), make(5, 3)];
    follow(whole, 40);
    follow(first, 25);
    const saved = first.host.getImages();
    second.host.setImages(saved);
    expect(second.host.getImages()).toEqual(saved);
    saved.fill(0);
    const held = [...first.host.getImages()].filter((_, i) => i % elements === 0);
    follow(second, 15, 25, held);
    expect(second.host.getImages()).toEqual(whole.host.getImages());
  });

  it('decides by seed, domain and step alone', () => {
    const decisions = ({ choose }: Pool) => Array.from({ length: 60 }, (_, step) => choose(step));
    expect(decisions(make(2, 2))).toEqual(decisions(make(2, 2)));
    expect(decisions(make(2, 2))).not.toEqual(decisions(make(2, 2, { domain: 'B' })));
    expect(decisions(make(2, 2))).not.toEqual(decisions(make(2, 2, { seed: 6 })));
  });
});
