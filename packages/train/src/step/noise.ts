/**
 * Whatever is random inside a step, as inputs of its graph: dropout's masks and the gradient penalty's mixing. The
 * values come from the step's seed and the input's name alone, so that every engine draws the same.
 */
import type { Graph, Value } from '@cyclegan/graph';
import { generatorAt } from '../feed/random.js';

const prefix = 'noise.';

/** An input of a graph that wants noise. */
export interface NoiseInput {
  /** Begins with `noise.`. */
  readonly name: string;
  /** bool: true with probability ½; float32: even in [0, 1). */
  readonly dtype: 'bool' | 'float32';
  readonly shape: readonly number[];
}

/** Gives a graph under construction the value of a noise input, each name once. */
export type NoiseSource = (input: NoiseInput) => Value;

/** Names a step's noise: `noise.<what>.<n>`, counted from 0 in the order in which the step is built. */
export function noiseNamed(source: NoiseSource) {
  const counts = new Map<string, number>();
  return (what: string, dtype: NoiseInput['dtype'], shape: readonly number[]): Value => {
    const count = counts.get(what) ?? 0;
    counts.set(what, count + 1);
    return source({ name: `${prefix}${what}.${count}`, dtype, shape });
  };
}

/** Declares each noise as an input of the graph. */
export function noiseAsInputs(graph: Graph): NoiseSource {
  return ({ name, dtype, shape }) => graph.input(name, dtype, shape);
}

/** The noise that a graph takes, in the order of its inputs. */
export function noiseInputs(graph: Graph): NoiseInput[] {
  return graph.inputs.flatMap(({ name, dtype, shape }) => {
    if (!name.startsWith(prefix)) return [];
    if (dtype !== 'bool' && dtype !== 'float32') throw new Error(`internal: ${name} is ${dtype}`);
    return [{ name, dtype, shape: shape.map(Number) }];
  });
}

/**
 * The values of one noise input in one step.
 * @param seed the step's, an unsigned whole number of 32 bits
 * @returns a new array of the input's elements: bool as bytes of 0 and 1
 */
export function noiseFor({ name, dtype, shape }: NoiseInput, seed: number): Uint8Array | Float32Array {
  const random = generatorAt(seed, name);
  const size = shape.reduce((product, dim) => product * dim, 1);
  if (dtype === 'float32') return Float32Array.from({ length: size }, () => (random.next() >>> 8) / 2 ** 24);
  return coins(size, () => random.next());
}

/** Four bytes of 0 and 1 for each number of four bits, as one word in the machine's own order. */
const spread = new Uint32Array(Uint8Array.from({ length: 64 }, (_, i) => ((i >> 2) >> (i & 3)) & 1).buffer);

/** Bytes of 0 and 1, 32 from each random word: masks have millions of elements. */
function coins(size: number, next: () => number): Uint8Array {
  const words = new Uint32Array(8 * Math.ceil(size / 32));
  for (let at = 0; at < words.length; at += 8) {
    let bits = next();
    for (let k = 0; k < 8; k++) {
      words[at + k] = spread[bits & 15] ?? 0;
      bits >>>= 4;
    }
  }
  return new Uint8Array(words.buffer, 0, size);
}
