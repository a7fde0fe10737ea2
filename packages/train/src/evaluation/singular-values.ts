/** A worker thread that takes one matrix, answers with its singular values, and ends. */
import { parentPort, workerData } from 'node:worker_threads';
import { Matrix, SingularValueDecomposition } from 'ml-matrix';
import type { Matrix as Plain } from './matrix.js';

const { rows, columns, data } = workerData as Plain;
const matrix = new Matrix(
  Array.from({ length: rows }, (_, row) => data.subarray(row * columns, (row + 1) * columns)),
);
const { diagonal } = new SingularValueDecomposition(matrix, {
  computeLeftSingularVectors: false,
  computeRightSingularVectors: false,
  autoTranspose: true,
});
parentPort?.postMessage(Float64Array.from(diagonal));
