/** The source against the graph that was imported from it, and that against a bundle's file. Judges nothing. */
import type { Tensor } from '@cyclegan/model';
import type { Manifest } from '@cyclegan/runtime-core';
import type { ValueRange } from '../bundle/model-interface.js';
import type { Imported } from '../import/imported.js';
import { tensorOf } from '../ort/planes.js';
import { testPlanes } from '../pictures/test-picture.js';
import { takes, withImportedGraph, withSource } from '../source/source-stage.js';
import type { Allowance } from './allowance.js';
import { type Check, compare, type Subject } from './checks.js';

/** What a bundle's direction came from. */
export interface SourceSide {
  readonly imported: Imported;
  /** The values of black and white in it. */
  readonly range: ValueRange;
  /** The source's training, and the bundle's. */
  readonly training: readonly [source: Manifest['training'], bundle: Manifest['training']];
}

/**
 * @param subject the first model of a direction, of any precision
 * @param near what a model that is not fp32 may differ by
 */
export function sourceChecks(
  { imported, range, training }: SourceSide,
  subject: Subject,
  near: Allowance,
): Check[] {
  const images = imagesFor(imported, subject.images);
  const isPlain = subject.entry.precision === 'fp32';
  return [
    {
      comparison: 'source against its imported graph',
      // A model's own rounding is that of its source; less accurate precisions say nothing of it.
      allowed: isPlain ? subject.allowed : { max: 1e-3 },
      measure: () =>
        withSource(imported, range, (source) =>
          withImportedGraph(imported, range, (graph) => compare(images, source, graph)),
        ),
    },
    {
      comparison: 'imported graph against the file',
      allowed: isPlain ? subject.allowed : near,
      hint: otherStep(...training),
      measure: () => withImportedGraph(imported, range, (graph) => compare(images, graph, subject.direct)),
    },
  ];
}

/** Those that the source takes; for one that takes a single size, an image of that. */
function imagesFor(imported: Imported, images: readonly Tensor[]): readonly Tensor[] {
  const taken = images.filter(({ shape }) => takes(imported, shape));
  if (taken.length > 0) return taken;
  const [, channels, height, width] = imported.graph.inputs[0]?.shape ?? [];
  const fixed = typeof height === 'number' && typeof width === 'number' && (channels === 1 || channels === 3);
  return fixed ? [tensorOf(testPlanes(channels, width, height, 0))] : images;
}

function otherStep(source: Manifest['training'], bundle: Manifest['training']): string | undefined {
  if (!bundle || !source || bundle.steps === source.steps) return undefined;
  return `the bundle is of step ${bundle.steps}, the source of step ${source.steps}`;
}
