/**
 * What browser tests ask of Node: images encoded by sharp, and the same model run by onnxruntime-node and by
 * runtime-node, to be compared with. Runs in vitest's own process; bytes cross as base64.
 */
import { join } from 'node:path';
import type { Direction } from '@cyclegan/runtime-core';
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
  /** A folder under test/fixtures. */
  bundle: string;
  direction: Direction;
  /** An image file's bytes. */
  image: string;
}

declare module 'vitest/internal/browser' {
  interface BrowserCommands {
    /** @returns the image file's bytes */
    encodeImage(request: EncodeRequest): Promise<string>;
    /** @returns the output's float32 */
    runInNode(request: RunRequest): Promise<string>;
    translateInNode(request: TranslateRequest): Promise<RawImage>;
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
  const folder = join(project.config.root, 'test/fixtures', request.bundle);
  const translator = await createTranslator(folder, { direction: request.direction, device: 'cpu' });
  try {
    const image = await translator.translate(new Uint8Array(Buffer.from(request.image, 'base64')));
    const { default: sharp } = await import('sharp');
    // By way of a PNG file, since that is what people save.
    const png = sharp(await image.png().toBuffer()).ensureAlpha();
    const { data, info } = await png.raw().toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, rgba: toBase64(data) };
  } finally {
    await translator.dispose();
  }
};

export const nodeCommands = { encodeImage, runInNode, translateInNode };
