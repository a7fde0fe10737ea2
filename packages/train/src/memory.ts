/** How much memory a run takes, roughly, so that one which cannot fit is refused before it is begun. */
import { totalmem } from 'node:os';
import { parameterCount } from '@cyclegan/model';
import { CycleganError } from '@cyclegan/runtime-core';
import { type RunConfig, trainingSize } from './config/index.js';
import { groupParameters } from './step/state.js';

/**
 * Bytes at the peak of a run's first steps on the CPU, a little above what bench/train.mjs measures from 64×64 to
 * 256×256: Node.js with onnxruntime, thirteen vectors as long as the parameters, and some 60 tensors of the generators'
 * widest layer.
 */
function estimateBytes(config: RunConfig): number {
  const { networks, batch } = config;
  const { height, width } = trainingSize(config);
  const parameters = parameterCount([...groupParameters(networks, 'G'), ...groupParameters(networks, 'D')]);
  return 3e8 + 4 * (13 * parameters + 60 * batch * height * width * networks.generator.ngf);
}

/** @throws CycleganError `usage` for a run that needs more than all of this machine's memory */
export function assertFits(config: RunConfig): void {
  const gigabytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(0)} GB`;
  const needed = estimateBytes(config);
  if (needed > totalmem()) {
    throw new CycleganError(
      'usage',
      `[train] memory: expected a run that fits in this machine's ${gigabytes(totalmem())}, got one of about ${gigabytes(needed)}. Take a smaller --size, --ngf, --blocks or --batch.`,
    );
  }
}
