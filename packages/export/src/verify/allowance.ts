/** How far apart two stages may be, and why. Compares nothing. */
import type { Tensor } from '@cyclegan/model';
import type { ConcreteDevice, ModelEntry, Precision } from '@cyclegan/runtime-core';
import type { Answer } from '../source/source-stage.js';
import { type Difference, difference } from './difference.js';

/** The most that passes: a largest difference on [-1, 1], or a least PSNR in dB. */
export type Allowance = { readonly max: number } | { readonly psnr: number };

export function isWithin(allowance: Allowance, { max, psnr }: Difference): boolean {
  // Written so that NaN fails.
  return 'max' in allowance ? max <= allowance.max : psnr >= allowance.psnr;
}

/** The same operations in the same order, as far as the kernels keep to it. */
export const SAME: Allowance = { max: 1e-6 };
/** One 8-bit level. */
export const LEVEL = 1 / 127.5;

/** Float32 on one machine in another order of operations, for a network whose values stay about as large as pixels. */
const STAGE = 1e-4;
/** Eight units in the last place of float32. */
const NUDGE = 2 ** -20;

/** Errors of rounding in many layers, beside one nudge of the image. */
const LAYERS = 4;
/** Of a network for which rounding is no small thing, dB: a broken one is far below, whatever single pixels do. */
const ILL_CONDITIONED = 50;

/**
 * What rounding alone may make of a model's answers. Errors of rounding grow with the values inside a network: one
 * whose batch norm has no sound statistics holds values in the thousands just before its Tanh, and there a correct
 * other order of operations is off by several 1e-4, or turns a pixel that was on the edge. So each image is nudged by
 * 2^-20 of its own values, up and down in turn. Stages may differ by four times of what this moves the answers, if that
 * is more than 1e-4; where that is more than an 8-bit level, single pixels say nothing, and PSNR decides.
 * @param run the plainest way to run the model; where it fails, other checks will say so
 */
export async function roundingOf(images: readonly Tensor[], run: Answer): Promise<Allowance> {
  let moved = 0;
  try {
    for (const image of images) {
      const nudged = image.data.map((value, i) => value * (1 + (i % 2 === 0 ? NUDGE : -NUDGE)));
      const [one, other] = [await run(image), await run({ shape: image.shape, data: nudged })];
      moved = Math.max(moved, difference([[one, other]]).max);
    }
  } catch {
    return { max: STAGE };
  }
  const max = Math.max(STAGE, LAYERS * moved);
  return max > LEVEL ? { psnr: ILL_CONDITIONED } : { max };
}

/** GPUs reorder and fuse as their drivers like; as in the self-check. */
const GPU = 2e-3;

/** What a provider may make of a float32 model beside the plain CPU. */
export function onProvider(device: ConcreteDevice, rounding: Allowance): Allowance {
  if (device === 'cpu' || 'psnr' in rounding) return rounding;
  return { max: Math.max(GPU, rounding.max) };
}

/** Beside float32's, dB: other kernels round halves and integers at other places, each time to a neighbouring step. */
const sameModel: Readonly<Record<'fp16' | 'int8', number>> = { fp16: 40, int8: 25 };

/** What another way to run a file may make of it. @param rounding of float32, see {@link roundingOf} */
export function sameFile(precision: Precision, rounding: Allowance): Allowance {
  return precision === 'fp16' || precision === 'int8' ? { psnr: sameModel[precision] } : rounding;
}

/** Of a sound conversion, on pictures of any kind: below these something is broken, not merely rounded. */
const leastPsnr: Readonly<Record<Exclude<Precision, 'fp32'>, number>> = {
  'fp16-weights': 45,
  fp16: 35,
  int8: 18,
};
/** On other pictures than those measured, dB. */
const MARGIN = 6;

/**
 * How near a model must be to fp32.
 * @param real whether the pictures are the user's own, which are like those that its quality was measured on
 */
export function nearFp32({ precision, quality }: ModelEntry, real: boolean): Allowance {
  if (precision === 'fp32') throw new Error('internal: fp32 is not held against itself');
  const least = leastPsnr[precision];
  const measured = real && quality && quality.of !== 'synthetic' ? quality.worst - MARGIN : 0;
  return { psnr: Math.max(least, measured) };
}
