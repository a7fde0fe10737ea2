/** Initial weights: the reference's four kinds, as PyTorch's torch.nn.init defines them; biases 0. */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { InitConfig } from './config.js';
import type { Parameter } from './layers.js';
import { orthonormaliseRows } from './orthogonal.js';

/** A sample of N(0, 1). */
type Gaussian = () => number;

/**
 * Fills a new flat vector, parameter after parameter; buffers too: means 0, variances 1.
 * @param seed any 32-bit integer; equal seeds give equal weights wherever the same JavaScript engine runs
 * @param init default the reference's: N(0, 0.02)
 * @returns float32, owned by the caller
 */
export function initialWeights(
  parameters: readonly Parameter[],
  seed: number,
  init: InitConfig = { type: 'normal', gain: 0.02 },
): Float32Array {
  const random = xoroshiro128plus(seed);
  const gaussian = () => nextGaussian(random);
  const sizes = parameters.map(({ shape }) => shape.reduce((product, size) => product * size, 1));
  const flat = new Float32Array(sizes.reduce((sum, size) => sum + size, 0));
  let at = 0;
  parameters.forEach((parameter, i) => {
    const end = at + (sizes[i] ?? 0);
    fill(flat.subarray(at, end), parameter, init, gaussian);
    at = end;
  });
  return flat;
}

function fill(values: Float32Array, { role, shape }: Parameter, init: InitConfig, gaussian: Gaussian): void {
  const normal = (mean: number, deviation: number) => {
    for (let i = 0; i < values.length; i++) values[i] = mean + deviation * gaussian();
  };
  if (role === 'variance') values.fill(1);
  else if (role === 'scale') normal(1, init.gain);
  else if (role !== 'weight') return;
  else if (init.type === 'orthogonal') orthogonal(values, shape[0] ?? 1, init.gain, gaussian);
  else normal(0, deviationOf(init, shape));
}

/** PyTorch reads fan-in and fan-out off the weight's two first axes, for a transposed convolution too. */
function deviationOf({ type, gain }: InitConfig, [first = 1, second = 1, ...kernel]: readonly number[]) {
  const area = kernel.reduce((product, size) => product * size, 1);
  if (type === 'xavier') return gain * Math.sqrt(2 / ((first + second) * area));
  if (type === 'kaiming') return Math.sqrt(2 / (second * area));
  return gain;
}

/** A random matrix of `rows` with orthogonal rows of length `gain`; columns, where there are more rows than columns. */
function orthogonal(values: Float32Array, rows: number, gain: number, gaussian: Gaussian): void {
  const columns = values.length / rows;
  const [least, most] = [Math.min(rows, columns), Math.max(rows, columns)];
  const basis = Array.from({ length: least }, () => Float64Array.from({ length: most }, gaussian));
  orthonormaliseRows(basis);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const value = rows <= columns ? basis[row]?.[column] : basis[column]?.[row];
      values[row * columns + column] = gain * (value ?? 0);
    }
  }
}

/** Box and Muller's transform; the second value of each pair is not kept, so that there is no hidden state. */
function nextGaussian(random: ReturnType<typeof xoroshiro128plus>): number {
  const radius = Math.sqrt(-2 * Math.log(1 - uniformFloat64(random)));
  return radius * Math.cos(2 * Math.PI * uniformFloat64(random));
}
