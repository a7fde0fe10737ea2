/** The self-check that a bundle carries: a patch and the checkpoint's own answer to it. */
import { minSize, sizeMultiple } from '@cyclegan/model';
import { CycleganError, encodePatch, runPadded, type SelfCheck } from '@cyclegan/runtime-core';
import { runCheckpoint } from './checkpoint-run.js';
import { directed, type GeneratorOptions } from './generator-graph.js';
import { testPlanes } from './test-picture.js';

/**
 * Not square, so that height and width confused are found; small, since it goes into every manifest as text. Models
 * that take only larger images see it padded, as they see any small image.
 */
const size = { width: 32, height: 20 };
const SEED = 1;

/**
 * Sound float32 providers differ by rounding alone. On the CPU that is 2e-6 for trained networks and at most 3e-5 for
 * the paper's with wide random weights; in browsers WebAssembly is held to 1e-4 and WebGPU, whose drivers reorder and
 * fuse as they like, to 2e-3. On [-1, 1] that is a quarter of an 8-bit level, which nobody can see, while the faults
 * that this is there to find (zeros, a wrong border, channels mixed up) are a hundred times larger.
 */
const TOLERANCE = 2e-3;

/**
 * @param where the checkpoint, for the message
 * @throws CycleganError `bundle` for weights that give no numbers, or that do not fit the configuration
 */
export async function makeSelfCheck(options: GeneratorOptions, where: string): Promise<SelfCheck> {
  const config = directed(options);
  const input = testPlanes(config.inputChannels, size.width, size.height, SEED);
  const model = { sizeMultiple: sizeMultiple(config), minSize: minSize(config) };
  const output = await runPadded(input, model, (planes) => runCheckpoint(options, planes));
  if (!output.data.every(Number.isFinite)) {
    throw new CycleganError(
      'bundle',
      `[export] ${where}: expected ${options.direction} to answer with numbers, got NaN or infinity. The training diverged; take an earlier checkpoint.`,
    );
  }
  return { ...size, input: encodePatch(input), output: encodePatch(output), tolerance: TOLERANCE };
}
