/** A prepared model in the precision asked for. How it is done is precision/'s. */
import type { Graph } from '@cyclegan/graph';
import type { Tensor } from '@cyclegan/model';
import type { Precision } from '@cyclegan/runtime-core';
import { readImages, type SplitPictures } from '../pictures/pictures.js';
import { type QuantizeOptions, type QuantizeReport, quantize, toFp16 } from '../precision/index.js';
import type { PreparedModel } from './prepare-model.js';

export interface PrecisionOptions
  extends Pick<QuantizeOptions, 'method' | 'psnrTarget' | 'reduceRange' | 'signal' | 'onProgress'> {
  readonly pictures: SplitPictures;
  /** Of {@link evaluationImages}; read for what is quantised or measured. */
  readonly evaluation: readonly Tensor[];
  /** Longest side of the pictures, pixels. */
  readonly side: number;
}

export interface PrecisionGraph {
  readonly graph: Graph;
  /** Of int8 alone. */
  readonly report?: QuantizeReport;
}

/** @throws CycleganError as {@link quantize} and {@link toFp16} */
export async function toPrecision(
  model: PreparedModel,
  precision: Precision,
  options: PrecisionOptions,
): Promise<PrecisionGraph> {
  switch (precision) {
    case 'fp32':
      return { graph: model.graph };
    case 'fp16-weights':
      return { graph: toFp16(model.graph, { mode: 'weights' }).graph };
    case 'fp16':
      return { graph: toFp16(model.graph, { mode: 'full' }).graph };
    case 'int8':
      return toInt8(model, options);
  }
}

async function toInt8(model: PreparedModel, options: PrecisionOptions): Promise<PrecisionGraph> {
  const { pictures, evaluation, side, method, psnrTarget, reduceRange, signal, onProgress } = options;
  return quantize(model.graph, {
    calibration: readImages(pictures.calibration, model, side),
    evaluation,
    method,
    psnrTarget,
    reduceRange,
    signal,
    onProgress,
  });
}

/** The images that quality is measured on; a few, kept in memory. */
export async function evaluationImages(
  model: PreparedModel,
  { pictures, side }: Pick<PrecisionOptions, 'pictures' | 'side'>,
): Promise<Tensor[]> {
  const images: Tensor[] = [];
  for await (const image of readImages(pictures.evaluation, model, side)) images.push(image);
  return images;
}
