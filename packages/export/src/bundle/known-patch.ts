/** The source's answer to the self-check patch, and whether the exported float32 model agrees with the source at all. */
import { CycleganError, paddedSide } from '@cyclegan/runtime-core';
import type { Imported } from '../import/imported.js';
import { planesOf, tensorOf } from '../ort/planes.js';
import { withPlanes } from '../ort/run-planes.js';
import { testPlanes } from '../pictures/test-picture.js';
import { takes, withSource } from '../source/source-stage.js';
import { difference } from '../verify/difference.js';
import type { ValueRange } from './model-interface.js';
import type { PreparedModel } from './prepare-model.js';
import { askForPatch, type KnownPatch, PATCH_SIZE } from './self-check.js';

export interface KnownPatchOptions {
  readonly imported: Imported;
  readonly model: PreparedModel;
  /** The float32 model as it ships. */
  readonly plain: Uint8Array;
  /** Its input's name. */
  readonly input: string;
  readonly range: ValueRange;
  /** The source, for messages. */
  readonly where: string;
}

/** As much as a self-check of float32 allows at most. */
const TOLERANCE = 1e-2;

/**
 * Asks the source. One that takes a single size, not the patch's, is held against the float32 model at that size, and
 * the model then answers for it.
 * @throws CycleganError `bundle` where the source answers with no numbers, or the model otherwise than the source
 */
export async function knownPatch(options: KnownPatchOptions): Promise<KnownPatch> {
  const { imported, model, plain, input, range, where } = options;
  const [height, width] = [paddedSide(PATCH_SIZE.height, model), paddedSide(PATCH_SIZE.width, model)];
  if (takes(imported, [1, model.inputChannels, height, width])) {
    return withSource(imported, range, (answer) =>
      askForPatch(model, async (planes) => planesOf(await answer(tensorOf(planes))), where),
    );
  }
  const [, , high, wide] = imported.graph.inputs[0]?.shape ?? [];
  if (typeof high !== 'number' || typeof wide !== 'number') {
    throw new Error('internal: a source that takes neither the patch nor a size of its own');
  }
  const image = tensorOf(testPlanes(model.inputChannels, wide, high, 0));
  const expected = await withSource(imported, range, (answer) => answer(image));
  return withPlanes(plain, input, 'disabled', async (run) => {
    const { max } = difference([[expected, tensorOf(await run(planesOf(image)))]]);
    if (!(max <= TOLERANCE)) {
      throw new CycleganError(
        'bundle',
        `[export] ${where}: expected the exported model to answer as its source within ${TOLERANCE}, got ${max.toPrecision(3)} at ${wide}x${high}. Report this, with the model.`,
      );
    }
    return askForPatch(model, run, where);
  });
}
