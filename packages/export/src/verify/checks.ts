/**
 * What is compared with what, for one model of a bundle: each stage with the one before, and each way to run it with
 * the plainest. Judges nothing.
 */
import { type OnnxModel, writeOnnx } from '@cyclegan/graph';
import type { Tensor } from '@cyclegan/model';
import {
  type ModelEntry,
  type Planes,
  paddedSide,
  runPadded,
  sessionOf,
  translatePixels,
} from '@cyclegan/runtime-core';
import { createTranslator } from '@cyclegan/runtime-node';
import sharp from 'sharp';
import { planesOf, tensorOf } from '../ort/planes.js';
import { withSession } from '../ort/session.js';
import { testPicture, testPlanes } from '../pictures/test-picture.js';
import type { Answer } from '../source/source-stage.js';
import { type Allowance, LEVEL, SAME } from './allowance.js';
import { type Difference, difference, type Values } from './difference.js';

export interface Check {
  /** What is compared, in a few words. */
  comparison: string;
  allowed: Allowance;
  /** What may explain a difference. */
  hint?: string | undefined;
  measure(): Promise<Difference>;
}

/** A model of a bundle, opened. */
export interface Subject {
  bundle: string;
  entry: ModelEntry;
  bytes: Uint8Array;
  onnx: OnnxModel;
  images: readonly Tensor[];
  /** The file as it is written, unoptimised. */
  direct: Answer;
  /** What another way to run the file may differ by. */
  allowed: Allowance;
  signal: AbortSignal | undefined;
}

/** The checks that need nothing but the model's own file, cheapest first. */
export function ownChecks(subject: Subject): Check[] {
  const { entry, onnx, allowed } = subject;
  const rewritten = () => writeOnnx(onnx.graph, { metadata: onnx.metadata });
  const [batch] = onnx.graph.inputs[0]?.shape ?? [];
  const batched: Check = {
    comparison: 'batch of 2 against singles',
    allowed,
    measure: () => asBatch(subject),
  };
  return [
    {
      comparison: 'self-check patch against the file',
      allowed: { max: entry.selfCheck.tolerance },
      measure: () => selfCheck(subject),
    },
    {
      comparison: 'file read and written again against the file',
      allowed: SAME,
      measure: () =>
        withSession(rewritten(), 'disabled', (run) =>
          compare(subject.images, (image) => run(new Map([[entry.input.name, image]])), subject.direct),
        ),
    },
    // Some foreign models hold on to a batch of one.
    ...(batch === 1 ? [] : [batched]),
    {
      comparison: 'translator against the file, one 8-bit level allowed',
      allowed: 'max' in allowed ? { max: LEVEL } : allowed,
      measure: () => translator(subject),
    },
  ];
}

/** Two ways to get answers, over the same images. */
export async function compare(images: readonly Tensor[], one: Answer, other: Answer): Promise<Difference> {
  const pairs: [Values, Values][] = [];
  for (const image of images) pairs.push([await one(image), await other(image)]);
  return difference(pairs);
}

/** The file's answer to one image. */
const directly = (subject: Subject) => async (planes: Planes) =>
  planesOf(await subject.direct(tensorOf(planes)));

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

async function asBatch({ entry, direct }: Subject): Promise<Difference> {
  const [width, height] = [paddedSide(40, entry), paddedSide(28, entry)];
  const images = [1, 2].map((seed) => tensorOf(testPlanes(entry.input.channels, width, height, seed)));
  const together = await direct(join(images));
  const singles: Tensor[] = [];
  for (const image of images) singles.push(await direct(image));
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
  const session = sessionOf(directly(subject));
  const { pixels: expected } = await translatePixels({ pixels, model: entry, tile: 'none', session });
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
    const values = (bytes: Uint8Array) => Float32Array.from(bytes, (byte) => byte / 127.5 - 1);
    return difference([
      [
        { shape: [expected.height, expected.width, expected.channels], data: values(expected.data) },
        { shape: [info.height, info.width, info.channels], data: values(data) },
      ],
    ]);
  } finally {
    await opened.dispose();
  }
}
