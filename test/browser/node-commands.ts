/**
 * What browser tests ask of Node: images encoded by sharp, the same model run by onnxruntime-node and by runtime-node,
 * and the same training, to be compared with. Runs in vitest's own process; bytes cross as base64.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Direction } from '@cyclegan/runtime-core';
import type { Losses, TrainOptions } from '@cyclegan/train';
import type { BrowserCommand } from 'vitest/node';

interface RawImage {
  width: number;
  height: number;
  /** Straight RGBA. */
  rgba: string;
}

export interface EncodeRequest extends RawImage {
  format: 'png' | 'jpeg' | 'webp';
  /** EXIF, 1 to 8. */
  orientation?: number;
}

export interface RunRequest {
  /** A folder under test/fixtures. */
  bundle: string;
  file: string;
  input: string;
  output: string;
  /** Float32, [1, C, H, W]. */
  data: string;
  dims: number[];
}

export interface TranslateRequest {
  /** A folder under test/fixtures, or a bundle's files by name. */
  bundle: string | Readonly<Record<string, string>>;
  direction: Direction;
  /** An image file's bytes. */
  image: string;
}

export interface TrainRequest {
  /** RGBA images of each domain. */
  a: RawImage[];
  b: RawImage[];
  options: Pick<TrainOptions, 'size' | 'ngf' | 'blocks' | 'steps' | 'decaySteps' | 'seed'>;
}

declare module 'vitest/internal/browser' {
  interface BrowserCommands {
    /** @returns the image file's bytes */
    encodeImage(request: EncodeRequest): Promise<string>;
    /** @returns the output's float32 */
    runInNode(request: RunRequest): Promise<string>;
    translateInNode(request: TranslateRequest): Promise<RawImage>;
    /** @returns the losses of each step */
    trainInNode(request: TrainRequest): Promise<Losses[]>;
  }
}

const toBase64 = (bytes: ArrayBufferView) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');

// Imported when asked for: the config loads this file for every project, with or without a browser.
const encodeImage: BrowserCommand<[EncodeRequest]> = async (_context, request) => {
  const { default: sharp } = await import('sharp');
  const { width, height, rgba, format, orientation } = request;
  const raw = sharp(Buffer.from(rgba, 'base64'), { raw: { width, height, channels: 4 } });
  // Nothing is lost where nothing need be, so that what differs between decoders does not hide what is tested.
  const exact = { png: {}, webp: { lossless: true }, jpeg: { quality: 100, chromaSubsampling: '4:4:4' } };
  const encoded = raw.toFormat(format, exact[format]);
  return toBase64(await (orientation ? encoded.withMetadata({ orientation }) : encoded).toBuffer());
};

const runInNode: BrowserCommand<[RunRequest]> = async ({ project }, request) => {
  const ort = await import('onnxruntime-node');
  const { bundle, file, input, output, data, dims } = request;
  const session = await ort.InferenceSession.create(join(project.config.root, 'test/fixtures', bundle, file));
  const bytes = new Uint8Array(Buffer.from(data, 'base64'));
  const tensor = new ort.Tensor('float32', new Float32Array(bytes.buffer), dims);
  const { [output]: result } = await session.run({ [input]: tensor });
  await session.release();
  if (!(result?.data instanceof Float32Array)) throw new Error(`internal: no float32 output ${output}`);
  return toBase64(result.data);
};

const translateInNode: BrowserCommand<[TranslateRequest]> = async ({ project }, request) => {
  const { createTranslator } = await import('@cyclegan/runtime-node');
  const { bundle, direction } = request;
  const saved = typeof bundle === 'string' ? undefined : await saveBundle(bundle);
  const folder = saved ?? join(project.config.root, 'test/fixtures', String(bundle));
  const translator = await createTranslator(folder, { direction, device: 'cpu' });
  try {
    const image = await translator.translate(new Uint8Array(Buffer.from(request.image, 'base64')));
    const { default: sharp } = await import('sharp');
    // By way of a PNG file, since that is what people save.
    const png = sharp(await image.png().toBuffer()).ensureAlpha();
    const { data, info } = await png.raw().toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, rgba: toBase64(data) };
  } finally {
    await translator.dispose();
    if (saved !== undefined) await rm(saved, { recursive: true });
  }
};

/** @returns a new folder with the files in it */
async function saveBundle(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'cyclegan-bundle-'));
  for (const [name, data] of Object.entries(files)) {
    await writeFile(join(folder, name), Buffer.from(data, 'base64'));
  }
  return folder;
}

const trainInNode: BrowserCommand<[TrainRequest]> = async (_context, { a, b, options }) => {
  const [{ train }, { default: sharp }] = [await import('@cyclegan/train'), await import('sharp')];
  const dir = await mkdtemp(join(tmpdir(), 'cyclegan-train-'));
  try {
    for (const [name, images] of Object.entries({ a, b })) {
      await mkdir(join(dir, name));
      for (const [i, { width, height, rgba }] of images.entries()) {
        const raw = sharp(Buffer.from(rgba, 'base64'), { raw: { width, height, channels: 4 } });
        await raw.png().toFile(join(dir, name, `${String(i).padStart(3, '0')}.png`));
      }
    }
    const losses: Losses[] = [];
    await train({
      a: join(dir, 'a'),
      b: join(dir, 'b'),
      out: join(dir, 'run'),
      device: 'cpu',
      ...options,
      onEvent: (event) => event.type === 'progress' && losses.push(event.losses),
    });
    return losses;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
};

export const nodeCommands = { encodeImage, runInNode, translateInNode, trainInNode };
