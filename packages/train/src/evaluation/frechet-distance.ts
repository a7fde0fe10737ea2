/**
 * FID (Heusel et al. 2017, arXiv 1706.08500): the Fréchet distance between two sets of features, each taken for a
 * Gaussian. Makes no features.
 */
import { type Features, rowsOf } from './features.js';
import { type Matrix, product, semidefiniteCholesky, singularValues, transpose } from './matrix.js';

/** A set's mean, and a matrix F with FᵀF = its covariance (divided by count − 1). */
interface Gaussian {
  mean: Float64Array;
  factor: Matrix;
  trace: number;
}

/**
 * ‖μ₁ − μ₂‖² + Tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^½).
 *
 * The trace of the root is taken without the root: with Σ = FᵀF it is the sum of the singular values of F₁·F₂ᵀ. That
 * is exact for singular covariances too, where scipy's `sqrtm` needs a nudge, and fast for few images, for which F is
 * no larger than they are many.
 * @param x at least two rows, as many columns as `y`
 * @returns at least 0, but for rounding; NaN for features that are not finite
 * @throws CycleganError `aborted`
 */
export async function frechetDistance(
  x: Features,
  y: Features,
  signal?: AbortSignal | undefined,
): Promise<number> {
  const [p, q] = [await gaussian(x), await gaussian(y)];
  // Networks that have diverged; the search for singular values would not end.
  if (!Number.isFinite(p.trace + q.trace)) return Number.NaN;
  const singular = await singularValues(await product(p.factor, transpose(q.factor)), signal);
  const means = p.mean.reduce((sum, value, at) => sum + (value - (q.mean[at] ?? 0)) ** 2, 0);
  return means + p.trace + q.trace - 2 * singular.reduce((sum, value) => sum + value, 0);
}

async function gaussian(features: Features): Promise<Gaussian> {
  const { rows, columns, data } = rowsOf(features);
  const mean = new Float64Array(columns);
  for (let at = 0; at < data.length; at++) mean[at % columns] = (mean[at % columns] ?? 0) + (data[at] ?? 0);
  for (let column = 0; column < columns; column++) mean[column] = (mean[column] ?? 0) / rows;
  const scale = 1 / Math.sqrt(rows - 1);
  let trace = 0;
  for (let at = 0; at < data.length; at++) {
    const centred = ((data[at] ?? 0) - (mean[at % columns] ?? 0)) * scale;
    data[at] = centred;
    trace += centred * centred;
  }
  const centred = { rows, columns, data };
  if (rows <= columns) return { mean, trace, factor: centred };
  const covariance = await product(transpose(centred), centred);
  return { mean, trace, factor: transpose(semidefiniteCholesky(covariance)) };
}
