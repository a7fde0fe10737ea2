/**
 * What is compared with what, for one model of a bundle: each stage with the one before, and each way to run it with
 * the plainest. Judges nothing.
 */
import { writeOnnx } from '@cyclegan/graph';
import type { Tensor } from '@cyclegan/model';
import {
  type Manifest,
  type ModelEntry,
  type Planes,
  paddedSide,
  runPadded,
  translatePixels,
} from '@cyclegan/runtime-core';
import { createTranslator } from '@cyclegan/runtime-node';
import sharp from 'sharp';
import { runCheckpoint } from '../checkpoint-run.js';
import { planesOf, tensorOf } from '../planes.js';
import { type Run, withSession } from '../session.js';
import type { Source } from '../source.js';
import { testPicture, testPlanes } from '../test-picture.js';
import { type Difference, difference, type Values } from './difference.js';
import type { OpenedModel } from './open-model.js';

export interface Check {
  /** What is compared, in a few words. */
  comparison: string;
  /** The largest absolute difference allowed, on [-1, 1]. */
  tolerance: number;
  /** What may explain a difference. */
  hint?: string | undefined;
  measure(): Promise<Difference>;
}

export interface Subject extends OpenedModel {
  bundle: string;
  entry: ModelEntry;
  /** The file as it is written, unoptimised. */
  direct: Run;
  source: Source | undefined;
  /** The bundle's. */
  training: Manifest['training'];
  signal: AbortSignal | undefined;
}

/** Float32 on one machine in another order of operations: the most that any two stages may differ. */
const STAGE_TOLERANCE = 1e-4;
/** The same operations in the same order, as far as the kernels keep to it. */
const SAME_TOLERANCE = 1e-6;
const LEVEL = 1 / 127.5;

export const CHECKPOINT_COMPARISON = 'checkpoint graph against the file';

/** The checks of one model, cheapest first. */
export function checksOf(subject: Subject): Check[] {
  const { entry, bytes, onnx, source, training } = subject;
  const rewritten = () => writeOnnx(onnx.graph, { metadata: onnx.metadata });
  const fromCheckpoint = (checkpoint: Source): Check => ({
    comparison: CHECKPOINT_COMPARISON,
    tolerance: STAGE_TOLERANCE,
    hint: otherStep(training, checkpoint.training),
    measure: () =>
      overSizes(subject, async (image) =>
        tensorOf(await runCheckpoint({ ...checkpoint, direction: entry.direction }, planesOf(image))),
      ),
  });
  return [
    {
      comparison: 'self-check patch against the file',
      tolerance: entry.selfCheck.tolerance,
      measure: () => selfCheck(subject),
    },
    {
      comparison: 'file read and written again against the file',
      tolerance: SAME_TOLERANCE,
      measure: () => sessionOverSizes(subject, rewritten(), 'disabled'),
    },
    ...(source ? [fromCheckpoint(source)] : []),
    {
      comparison: 'optimised session against unoptimised',
      tolerance: STAGE_TOLERANCE,
      measure: () => sessionOverSizes(subject, bytes, 'all'),
    },
    { comparison: 'batch of 2 against singles', tolerance: STAGE_TOLERANCE, measure: () => batch(subject) },
    {
      comparison: 'translator against the file, one 8-bit level allowed',
      tolerance: LEVEL,
      measure: () => translator(subject),
    },
  ];
}

function otherStep(bundle: Manifest['training'], source: Manifest['training']): string | undefined {
  if (!bundle || !source || bundle.steps === source.steps) return undefined;
  return `the bundle is of step ${bundle.steps}, the source of step ${source.steps}`;
}

/**
 * Wide, square, tall. No smaller: in the smallest image that a model takes, InstanceNormalization divides by the
 * deviation of four pixels, which magnifies rounding a hundredfold and says nothing of the model.
 */
function imagesFor({ entry }: Subject): Tensor[] {
  const sizes = [
    [40, 28],
    [16, 16],
    [36, 64],
  ] as const;
  return sizes.map(([width, height], seed) =>
    tensorOf(testPlanes(entry.input.channels, paddedSide(width, entry), paddedSide(height, entry), seed)),
  );
}

const feed = ({ entry }: Subject, image: Tensor) => new Map([[entry.input.name, image]]);

/** The file's answer to one image. */
const directly = (subject: Subject) => async (planes: Planes) =>
  planesOf(await subject.direct(feed(subject, tensorOf(planes))));

async function overSizes(subject: Subject, other: (image: Tensor) => Promise<Values>): Promise<Difference> {
  const pairs: [Values, Values][] = [];
  for (const image of imagesFor(subject)) {
    pairs.push([await other(image), await subject.direct(feed(subject, image))]);
  }
  return difference(pairs);
}

function sessionOverSizes(
  subject: Subject,
  model: Uint8Array,
  level: 'disabled' | 'all',
): Promise<Difference> {
  return withSession(model, level, (run) => overSizes(subject, (image) => run(feed(subject, image))));
}

async function selfCheck(subject: Subject): Promise<Difference> {
  const { entry } = subject;
  const { width, height } = entry.selfCheck;
  const patch = (which: 'input' | 'output') => ({
    width,
    height,
    channels: entry[which].channels,
    data: new Float32Array(Uint8Array.from(Buffer.from(entry.selfCheck[which], 'base64')).buffer),
  });
  const got = await runPadded(patch('input'), entry, directly(subject));
  return difference([[tensorOf(patch('output')), tensorOf(got)]]);
}

async function batch(subject: Subject): Promise<Difference> {
  const { entry, direct } = subject;
  const [width, height] = [paddedSide(40, entry), paddedSide(28, entry)];
  const images = [1, 2].map((seed) => tensorOf(testPlanes(entry.input.channels, width, height, seed)));
  const together = await direct(feed(subject, join(images)));
  const singles: Tensor[] = [];
  for (const image of images) singles.push(await direct(feed(subject, image)));
  return difference([[together, join(singles)]]);
}

/** [1, …] and [1, …] → [2, …] */
function join(tensors: readonly Tensor[]): Tensor {
  const data = new Float32Array(tensors.reduce((sum, each) => sum + each.data.length, 0));
  let at = 0;
  for (const each of tensors) {
    data.set(each.data, at);
    at += each.data.length;
  }
  return { shape: [tensors.length, ...(tensors[0]?.shape.slice(1) ?? [])], data };
}

/** A size that no model takes as it is, so that padding and cropping take part. */
async function translator(subject: Subject): Promise<Difference> {
  const { bundle, entry, signal } = subject;
  const pixels = testPicture(41, 27, 1);
  const expected = await translatePixels({ pixels, model: entry, tile: 'none', run: directly(subject) });
  const { width, height, channels } = pixels;
  const png = await sharp(pixels.data, { raw: { width, height, channels } }).png().toBuffer();
  const { direction, precision } = entry;
  const opened = await createTranslator(bundle, {
    direction,
    precision,
    device: 'cpu',
    tile: 'none',
    signal,
  });
  try {
    const image = await opened.translate(png, { signal });
    const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
    const { max, mean } = difference([
      [
        { shape: [expected.height, expected.width, expected.channels], data: expected.data },
        { shape: [info.height, info.width, info.channels], data },
      ],
    ]);
    return { max: max * LEVEL, mean: mean * LEVEL };
  } finally {
    await opened.dispose();
  }
}
