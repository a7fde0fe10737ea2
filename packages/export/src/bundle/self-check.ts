/** The self-check that a bundle carries: a patch, the source's own answer to it, and how near to that a model must come. */
import {
  CycleganError,
  encodePatch,
  type ModelEntry,
  type Planes,
  type Precision,
  type RunPlanes,
  runPadded,
  type SelfCheck,
} from '@cyclegan/runtime-core';
import { testPlanes } from '../pictures/test-picture.js';

/**
 * Not square, so that height and width confused are found; small, since it goes into every manifest as text. Models
 * that take only larger images see it padded, as they see any small image.
 */
export const PATCH_SIZE = { width: 32, height: 20 };
const SEED = 1;

/** How far from the source a model of a precision may be, on [-1, 1]. */
interface Margin {
  /** Of what it is off by on the CPU, for what other providers add. */
  factor: number;
  /** Never less… */
  least: number;
  /** …nor more: then it is no check any longer. */
  most: number;
}

/**
 * Sound float32 providers differ by rounding alone. On the CPU that is 2e-6 for trained networks and at most 3e-5 for
 * the paper's with wide random weights; in browsers WebAssembly is held to 1e-4 and WebGPU, whose drivers reorder and
 * fuse as they like, to 2e-3. On [-1, 1] that is a quarter of an 8-bit level, which nobody can see, while the faults
 * that this is there to find (zeros, a wrong border, channels mixed up) are a hundred times larger. Halves and integers
 * round more, and GPUs that compute in halves more than the CPU, which does not.
 */
const margins: Readonly<Record<Precision, Margin>> = {
  fp32: { factor: 4, least: 2e-3, most: 1e-2 },
  'fp16-weights': { factor: 2, least: 4e-3, most: 0.1 },
  fp16: { factor: 4, least: 2e-2, most: 0.25 },
  int8: { factor: 1.5, least: 2e-2, most: 0.75 },
};

/** What to do about a model that is further off than its margin. */
const fixes: Readonly<Record<Precision, string>> = {
  fp32: 'Report this, with the model.',
  'fp16-weights': 'Leave fp16-weights out: its values do not fit into halves.',
  fp16: 'Leave fp16 out: its values do not fit into halves.',
  int8: 'Ask for a higher PSNR, calibrate on more and more varied images, or leave int8 out.',
};

export interface KnownPatch {
  readonly input: Planes;
  /** The source's own answer. */
  readonly output: Planes;
}

type Shape = Pick<ModelEntry, 'sizeMultiple' | 'minSize'>;

/**
 * @param model whose sizes the patch is padded to
 * @param run the source
 * @param where the source, for the message
 * @throws CycleganError `bundle` for a source that answers with no numbers
 */
export async function askForPatch(
  model: Shape & { inputChannels: 1 | 3 },
  run: RunPlanes,
  where: string,
): Promise<KnownPatch> {
  const input = testPlanes(model.inputChannels, PATCH_SIZE.width, PATCH_SIZE.height, SEED);
  const output = await runPadded(input, model, run);
  if (!output.data.every(Number.isFinite)) {
    throw new CycleganError(
      'bundle',
      `[export] ${where}: expected it to answer with numbers, got NaN or infinity. The training diverged; take an earlier checkpoint.`,
    );
  }
  return { input, output };
}

/**
 * @param run the model that ships
 * @param where the model, for the message
 * @throws CycleganError `bundle` for a model so far from the source that the check could find no fault
 */
export async function makeSelfCheck(
  model: Shape & { precision: Precision },
  { input, output }: KnownPatch,
  run: RunPlanes,
  where: string,
): Promise<SelfCheck> {
  const answer = await runPadded(input, model, run);
  const off = output.data.reduce(
    (most, value, i) => Math.max(most, Math.abs(value - (answer.data[i] ?? Number.NaN))),
    0,
  );
  const { factor, least, most } = margins[model.precision];
  const tolerance = Math.min(Math.max(factor * off, least), most);
  if (!(off <= tolerance)) {
    throw new CycleganError(
      'bundle',
      `[export] ${where}: expected answers within ${most} of the source's, got ${off.toPrecision(3)} on the self-check patch. ${fixes[model.precision]}`,
    );
  }
  return { ...PATCH_SIZE, input: encodePatch(input), output: encodePatch(output), tolerance };
}
