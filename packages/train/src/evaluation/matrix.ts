/**
 * Dense float64 matrices for the distances between sets: products by onnxruntime, a factor of a covariance, singular
 * values by ml-matrix in a thread of its own. Nothing of images and features.
 */
import { Worker } from 'node:worker_threads';
import { CycleganError } from '@cyclegan/runtime-core';
import { InferenceSession, Tensor } from 'onnxruntime-node';

/** Rows one after the other. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
}

/** One MatMul node, float64 [M, K] × [K, N], opset 17, IR 8. The graph package has no float64: no network needs it. */
const PRODUCT_MODEL =
  'CAg6YQoRCgFhCgFiEgFjIgZNYXRNdWwSB3Byb2R1Y3RaFQoBYRIQCg4ICxIKCgMSAU0KAxIBS1oVCgFiEhAKDggLEgoKAxIBSwoDEgFOYhUKAWMSEAoOCAsSCgoDEgFNCgMSAU5CBAoAEBE=';

let session: Promise<InferenceSession> | undefined;

/**
 * a · b. About 25 times as fast as loops over the same numbers; the session, a few kilobytes, is kept.
 */
export async function product(a: Matrix, b: Matrix): Promise<Matrix> {
  if (a.columns !== b.rows) {
    throw new Error(`internal: product of ${a.rows}×${a.columns} and ${b.rows}×${b.columns}`);
  }
  session ??= InferenceSession.create(Buffer.from(PRODUCT_MODEL, 'base64'));
  const tensor = ({ data, rows, columns }: Matrix) => new Tensor('float64', data, [rows, columns]);
  const { c } = await (await session).run({ a: tensor(a), b: tensor(b) });
  if (!(c?.data instanceof Float64Array)) throw new Error('internal: no float64 product');
  return { rows: a.rows, columns: b.columns, data: c.data };
}

export function transpose({ rows, columns, data }: Matrix): Matrix {
  const out = new Float64Array(data.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      out[column * rows + row] = data[row * columns + column] ?? 0;
    }
  }
  return { rows: columns, columns: rows, data: out };
}

/**
 * The lower triangle L with L·Lᵀ = `square`, which is positive semidefinite: the column of a pivot that is zero but
 * for rounding is zero (Higham, Accuracy and Stability of Numerical Algorithms, section 10.3).
 */
export function semidefiniteCholesky({ rows: n, data }: Matrix): Matrix {
  const lower = new Float64Array(n * n);
  let largest = 0;
  for (let i = 0; i < n; i++) largest = Math.max(largest, data[i * n + i] ?? 0);
  const tolerance = n * Number.EPSILON * largest;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let rest = data[i * n + j] ?? 0;
      for (let a = i * n, b = j * n, end = b + j; b < end; a++, b++) {
        rest -= (lower[a] ?? 0) * (lower[b] ?? 0);
      }
      if (i === j) lower[i * n + i] = rest > tolerance ? Math.sqrt(rest) : 0;
      else {
        const pivot = lower[j * n + j] ?? 0;
        lower[i * n + j] = pivot > 0 ? rest / pivot : 0;
      }
    }
  }
  return { rows: n, columns: n, data: lower };
}

/**
 * All singular values of a matrix, in no order that counts. 2048 × 2048 takes most of a minute of one core, which is
 * another thread's.
 * @throws CycleganError `aborted`
 */
export function singularValues(matrix: Matrix, signal?: AbortSignal | undefined): Promise<Float64Array> {
  const worker = new Worker(new URL('./singular-values.js', import.meta.url), {
    workerData: matrix,
    // The program's own flags (--input-type, loaders) are not for this file.
    execArgv: [],
  });
  return new Promise<Float64Array>((resolve, reject) => {
    const stop = () =>
      reject(
        new CycleganError('aborted', '[train] evaluation: stopped on request.', { cause: signal?.reason }),
      );
    if (signal?.aborted) stop();
    signal?.addEventListener('abort', stop, { once: true });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`internal: singular values ended with ${code}`)));
  }).finally(() => worker.terminate());
}
