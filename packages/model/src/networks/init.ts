/** Initial weights: the reference's N(0, 0.02), biases 0. */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { Parameter } from './layers.js';

const deviation = 0.02;

/**
 * Fills a new flat vector, parameter after parameter.
 * @param seed any 32-bit integer; equal seeds give equal weights wherever the same JavaScript engine runs
 * @returns float32, owned by the caller
 */
export function initialWeights(parameters: readonly Parameter[], seed: number): Float32Array {
  const random = xoroshiro128plus(seed);
  const sizes = parameters.map(({ shape }) => shape.reduce((product, size) => product * size, 1));
  const flat = new Float32Array(sizes.reduce((sum, size) => sum + size, 0));
  let at = 0;
  parameters.forEach(({ role }, i) => {
    const end = at + (sizes[i] ?? 0);
    if (role === 'weight') for (let k = at; k < end; k++) flat[k] = deviation * gaussian(random);
    at = end;
  });
  return flat;
}

/** Box and Muller's transform; the second value of each pair is not kept, so that there is no hidden state. */
function gaussian(random: ReturnType<typeof xoroshiro128plus>): number {
  const radius = Math.sqrt(-2 * Math.log(1 - uniformFloat64(random)));
  return radius * Math.cos(2 * Math.PI * uniformFloat64(random));
}
