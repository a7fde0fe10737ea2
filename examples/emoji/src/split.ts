/**
 * Which icons are seen in training, and which are kept for measuring. By name only, so that it is the same for
 * every pair of sets, size and machine.
 */
import { createHash } from 'node:crypto';

export interface Split {
  /** Icons whose A side only is trained on. */
  trainA: string[];
  /** Icons whose B side only is trained on. */
  trainB: string[];
  /** Icons that are never trained on; both sides are kept, as question and answer. */
  test: string[];
}

const SKIN_TONE = /-(light|medium-light|medium|medium-dark|dark)$/;
const PERSON = /^(man|woman|person|men|women|people)-|-(man|woman|person)$/;

/**
 * What an icon shows, without its variants: skin tone, gender and the way it faces. Icons with one base look so
 * much alike that they may not lie on both sides of the split.
 */
export function baseName(name: string): string {
  return name
    .replace(SKIN_TONE, '')
    .replace(/-facing-right$/, '')
    .replace(PERSON, '');
}

/**
 * 45 % of the bases to trainA, 45 % to trainB, 10 % to test, by a hash of the base. No base is in two of them, so
 * no pair exists in training.
 * @returns each list sorted
 */
export function splitNames(names: Iterable<string>): Split {
  const split: Split = { trainA: [], trainB: [], test: [] };
  for (const name of [...names].sort()) {
    const share = createHash('sha256').update(baseName(name)).digest().readUInt32LE() / 2 ** 32;
    const part = share < 0.45 ? split.trainA : share < 0.9 ? split.trainB : split.test;
    part.push(name);
  }
  return split;
}
