/** A bundle's variants against the models that they are other interfaces of. Judges nothing. */
import { join } from 'node:path';
import { readOnnx, type Tensor as TypedTensor, tensor } from '@cyclegan/graph';
import type { Tensor } from '@cyclegan/model';
import { toByte, type VariantEntry } from '@cyclegan/runtime-core';
import { readModel } from '@cyclegan/runtime-node';
import { floats } from '../ort/graph-session.js';
import { tensorOf, toChannelsFirst, toChannelsLast } from '../ort/planes.js';
import { openCpuSession } from '../ort/session.js';
import { testPlanes } from '../pictures/test-picture.js';
import type { Answer } from '../source/source-stage.js';
import { describeVariant } from '../variants/index.js';
import { CORE_NAME } from '../variants/tiles.js';
import { type Allowance, LEVEL, SAME } from './allowance.js';
import { type Check, compare, type Subject } from './checks.js';
import type { Difference } from './difference.js';

type Interface = VariantEntry['inputs'][number];

/** `AtoB fp32 rgba8 256x256`. */
export function variantLabel({ direction, precision, io, layout, size, part }: VariantEntry): string {
  const words: string[] = [direction, precision];
  if (part !== 'whole') words.push(part);
  if (io === 'rgba8') words.push(io);
  else if (layout === 'NHWC') words.push('NHWC');
  if (size) words.push(`${size.width}x${size.height}`);
  return words.join(' ');
}

/**
 * Reads a variant whose size, hash and interface are those of the manifest.
 * @throws Error of any kind, saying in one sentence what is different
 */
export async function openVariant(bundle: string, entry: VariantEntry): Promise<Uint8Array> {
  const path = join(bundle, entry.file);
  const bytes = await readModel(entry, path);
  const { graph } = readOnnx(bytes);
  const { inputs, outputs } = describeVariant(graph, { ...entry, size: entry.size ?? undefined });
  for (const [what, expected, got] of [
    ['inputs', entry.inputs, inputs],
    ['outputs', entry.outputs, outputs],
  ] as const) {
    if (JSON.stringify(expected) !== JSON.stringify(got)) {
      throw new Error(`${path}: expected ${what} ${words(expected)} as in the manifest, got ${words(got)}`);
    }
  }
  return bytes;
}

function words(ends: readonly Interface[]): string {
  return ends.map(({ name, dtype, shape }) => `${name} ${dtype}[${shape.join(', ')}]`).join(', ');
}

/** A variant's file, and what the manifest says of it. */
export interface OpenedVariant {
  readonly entry: VariantEntry;
  readonly bytes: Uint8Array;
}

/** The bundle's own model of the same direction and precision. */
export type WholeModel = Pick<Subject, 'entry' | 'images' | 'direct' | 'allowed'>;

/**
 * @param statistics of the same model, for a tile; without it there is nothing to compare
 */
export function variantChecks(
  variant: OpenedVariant,
  whole: WholeModel,
  statistics: OpenedVariant | undefined,
): Check[] {
  const { size, part } = variant.entry;
  if (part === 'statistics' || (part === 'tile' && !statistics)) return [];
  const { channels } = whole.entry.input;
  const images = size ? [tensorOf(testPlanes(channels, size.width, size.height, 0))] : whole.images;
  return [
    {
      comparison:
        part === 'tile'
          ? 'whole image as one tile, with its own statistics, against the model'
          : 'against the model',
      allowed: allowanceOf(variant.entry, whole),
      measure: () => measure({ ...whole, images }, variant, statistics),
    },
  ];
}

/** Another interface is the same operations, but for the rounding to bytes; a tile's statistics are computed anew. */
function allowanceOf({ io, part }: VariantEntry, { allowed }: WholeModel): Allowance {
  if (io === 'rgba8') return { max: LEVEL };
  return part === 'whole' && 'psnr' in allowed ? SAME : allowed;
}

async function measure(
  whole: WholeModel,
  variant: OpenedVariant,
  statistics: OpenedVariant | undefined,
): Promise<Difference> {
  const session = await openCpuSession(variant.bytes, 'disabled');
  const first = statistics && (await openCpuSession(statistics.bytes, 'disabled'));
  const answer: Answer = async (image) => {
    const known = first
      ? await first.run(new Map([...feeds(statistics.entry, image), ...uncorrected(statistics.entry, image)]))
      : [];
    const outputs = await session.run(
      new Map([...known, ...wholeCore(variant.entry, image), ...feeds(variant.entry, image)]),
    );
    const [end] = variant.entry.outputs;
    const output = end && outputs.get(end.name);
    if (!output) throw new Error('expected an image as output, got none');
    return fromOutput(end, output, whole.entry.output.channels);
  };
  try {
    return await compare(whole.images, answer, whole.direct);
  } finally {
    await session.dispose();
    await first?.dispose();
  }
}

function feeds({ inputs }: VariantEntry, image: Tensor): Map<string, TypedTensor> {
  const images = inputs.filter((end) => end.image !== null);
  return new Map(images.map((end) => [end.name, toInput(end, image)]));
}

/** What changes no statistics: zeros for the means, ones for the variances. */
function uncorrected({ inputs, statistics }: VariantEntry, image: Tensor): Map<string, TypedTensor> {
  const [batch = 1] = image.shape;
  const total = statistics ?? 0;
  const rows = Float32Array.from({ length: 2 * batch * total }, (_, i) => Math.floor(i / total) % 2);
  const ends = inputs.filter((end) => end.image === null);
  return new Map(ends.map(({ name }) => [name, tensor('float32', [batch, 2, total], rows)]));
}

/** All of the image, where a part of it may be named. */
function wholeCore({ part }: VariantEntry, image: Tensor): Map<string, TypedTensor> {
  const [height = 0, width = 0] = image.shape.slice(2);
  const core = tensor('float32', [1, 1, 4], Float32Array.of(0, 0, height, width));
  return new Map(part === 'tile' ? [[CORE_NAME, core]] : []);
}

/** A picture's alpha, so that one that is lost or mixed up is found. */
const alphaAt = (pixel: number) => (pixel * 37) % 256;

function toInput({ dtype, image }: Interface, planes: Tensor): TypedTensor {
  if (dtype === 'float32') return floats(image?.layout === 'NHWC' ? toChannelsLast(planes) : planes);
  const [batch = 1, channels = 1, height = 1, width = 1] = planes.shape;
  const { data } = toChannelsLast(planes);
  const bytes = new Uint8Array(4 * batch * height * width);
  for (let pixel = 0; pixel < bytes.length / 4; pixel += 1) {
    for (let c = 0; c < 3; c += 1) {
      bytes[4 * pixel + c] = toByte(data[pixel * channels + (channels === 3 ? c : 0)] ?? 0);
    }
    bytes[4 * pixel + 3] = alphaAt(pixel);
  }
  return tensor('uint8', [batch, height, width, 4], bytes);
}

/** @throws Error for alpha that is not the input's */
function fromOutput({ image }: Interface, { dtype, shape, data }: TypedTensor, channels: 1 | 3): Tensor {
  if (dtype === 'float32') {
    const planes = { shape, data: data as Float32Array };
    return image?.layout === 'NHWC' ? toChannelsFirst(planes) : planes;
  }
  const [batch = 1, height = 1, width = 1] = shape;
  const values = new Float32Array(channels * batch * height * width);
  for (let pixel = 0; pixel < batch * height * width; pixel += 1) {
    if (data[4 * pixel + 3] !== alphaAt(pixel)) {
      throw new Error(`expected alpha ${alphaAt(pixel)} at pixel ${pixel}, got ${data[4 * pixel + 3]}`);
    }
    for (let c = 0; c < channels; c += 1) {
      values[pixel * channels + c] = Number(data[4 * pixel + c]) / 127.5 - 1;
    }
  }
  return toChannelsFirst({ shape: [batch, height, width, channels], data: values });
}
