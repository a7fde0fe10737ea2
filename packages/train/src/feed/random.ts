/**
 * Random numbers that are a pure function of where they are used, so that a resumed run draws what an
 * uninterrupted one would have drawn, and a browser what Node draws. Not a stream to be carried along: there is no
 * state to save.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

/** Draws one after the other; the n-th draw depends on the generator's place only. */
export interface Random {
  /** A whole number in [0, below). `below` is at least 1. */
  integer(below: number): number;
  /** True with probability ½. */
  coin(): boolean;
}

/**
 * A generator for one place of a run.
 * @param seed the run's seed
 * @param place what the draws are for, and its numbers (`'item', step, index`): equal places draw equally,
 * any two different ones independently
 */
export function randomAt(seed: number, ...place: (string | number)[]): Random {
  const generator = generatorAt(seed, ...place);
  return {
    integer: (below) => uniformInt(generator, 0, below - 1),
    coin: () => uniformInt(generator, 0, 1) === 1,
  };
}

/** The generator behind {@link randomAt}, for those who need its numbers of 32 bits themselves. */
export function generatorAt(seed: number, ...place: (string | number)[]): RandomGenerator {
  const digest = sha256(new TextEncoder().encode(JSON.stringify([seed, ...place])));
  const view = new DataView(digest.buffer, digest.byteOffset);
  return xoroshiro128plusFromState([0, 4, 8, 12].map((offset) => view.getInt32(offset, true)));
}

/** The numbers 0 … count − 1 in random order (Fisher-Yates). */
export function permutation(count: number, random: Random): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last--) {
    const other = random.integer(last + 1);
    const swapped = order[last] ?? 0;
    order[last] = order[other] ?? 0;
    order[other] = swapped;
  }
  return order;
}
