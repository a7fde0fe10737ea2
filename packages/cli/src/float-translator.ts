/**
 * A bundle's translators for evaluation, which hands in and takes back arrays of floats: what a user would get, by way
 * of 8-bit pixels. Reads no image files.
 */
import { type Direction, type Manifest, type Pixels, toPlanes, writeRows } from '@cyclegan/runtime-core';
import { createTranslator, type NodeTranslator, type NodeTranslatorOptions } from '@cyclegan/runtime-node';
import type { Translate } from '@cyclegan/train';
import sharp from 'sharp';

type Channels = 1 | 3;

export interface FloatTranslators {
  /** By direction, those that the bundle has. */
  readonly translate: Partial<Record<Direction, Translate>>;
  /** Of the first one. */
  readonly info: NodeTranslator['info'];
  /** Of the images of A and of B. */
  readonly channels: { A: Channels; B: Channels };
  dispose(): Promise<void>;
}

/**
 * Opens every direction that the bundle has: a cycle needs both.
 * @param size edge of the square images, pixels
 * @throws CycleganError `bundle`, `device`, `usage`, `aborted`
 */
export async function openFloatTranslators(
  bundle: string,
  manifest: Manifest,
  { size, ...options }: NodeTranslatorOptions & { size: number },
): Promise<FloatTranslators> {
  const channels = channelsOf(manifest);
  const opened: NodeTranslator[] = [];
  const dispose = async () => {
    for (const translator of opened) await translator.dispose();
  };
  const translate: FloatTranslators['translate'] = {};
  try {
    for (const direction of ['AtoB', 'BtoA'] as const) {
      if (!manifest.models.some((model) => model.direction === direction)) continue;
      const translator = await createTranslator(bundle, { ...options, direction });
      opened.push(translator);
      const [from, to] = direction === 'AtoB' ? [channels.A, channels.B] : [channels.B, channels.A];
      translate[direction] = (images, count) =>
        translateFloats({ translator, images, count, size, from, to, signal: options.signal });
    }
  } catch (error) {
    await dispose();
    throw error;
  }
  const [first] = opened;
  if (!first) throw new Error('internal: a bundle without models');
  return { translate, info: first.info, channels, dispose };
}

/** Of both domains, by any model of the bundle. */
function channelsOf({ models: [model] }: Manifest): { A: Channels; B: Channels } {
  if (!model) throw new Error('internal: a bundle without models');
  const { direction, input, output } = model;
  return direction === 'AtoB'
    ? { A: input.channels, B: output.channels }
    : { A: output.channels, B: input.channels };
}

async function translateFloats(options: {
  translator: NodeTranslator;
  images: Float32Array;
  count: number;
  size: number;
  from: Channels;
  to: Channels;
  signal: AbortSignal | undefined;
}): Promise<Float32Array> {
  const { translator, images, count, size, from, to, signal } = options;
  const area = size * size;
  const translations = new Float32Array(count * to * area);
  for (let image = 0; image < count; image++) {
    const data = images.subarray(image * from * area, (image + 1) * from * area);
    const { data: bytes, ...raw } = toPixels(data, size, from);
    const translated = await translator.translate(sharp(bytes, { raw }), { signal });
    const pixels: Pixels = { ...raw, data: await translated.raw().toBuffer() };
    translations.set(toPlanes(pixels, to).data, image * to * area);
  }
  return translations;
}

function toPixels(data: Float32Array, size: number, channels: Channels) {
  const pixels = { width: size, height: size, channels: 3 as const, data: new Uint8Array(3 * size * size) };
  writeRows(pixels, { width: size, height: size, channels, data }, { top: 0, rows: size });
  return pixels;
}
