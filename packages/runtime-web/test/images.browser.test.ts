/** Every kind of image that the browser has gives the same pixels; what is no image, or too large, is refused. */
import { createTranslator, type ImageSource, type WebTranslator } from '@cyclegan/runtime-web';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { commands } from 'vitest/browser';
import { fromBase64, toBase64 } from '../../../test/browser/bytes.ts';
import { picture } from '../../../test/contract/translator-contract.ts';
import { imageData, TINY } from './support.ts';

const [width, height] = [48, 32];
let translator: WebTranslator;
beforeAll(async () => {
  translator = await createTranslator(TINY, { device: 'wasm' });
});
afterAll(() => translator?.dispose());

async function file(more: { format?: 'jpeg'; orientation?: number } = {}): Promise<Blob> {
  const { data } = picture(width, height);
  const rgba = toBase64(data);
  return new Blob([fromBase64(await commands.encodeImage({ width, height, rgba, format: 'png', ...more }))]);
}

function canvas<Canvas extends HTMLCanvasElement | OffscreenCanvas>(empty: Canvas): Canvas {
  empty.width = width;
  empty.height = height;
  const context = empty.getContext('2d') as CanvasRenderingContext2D;
  context.putImageData(imageData(width, height), 0, 0);
  return empty;
}

function expectSame(result: ImageData, expected: ImageData): void {
  expect([result.width, result.height]).toEqual([expected.width, expected.height]);
  expect(result.data.findIndex((value, i) => value !== expected.data[i])).toBe(-1);
}

const kinds: Record<string, () => ImageSource | Promise<ImageSource>> = {
  Blob: file,
  File: async () => new File([await file()], 'picture.png'),
  ImageBitmap: () => createImageBitmap(imageData(width, height)),
  HTMLImageElement: async () => {
    const image = new Image();
    // Not waited for: the translator does.
    image.src = URL.createObjectURL(await file());
    return image;
  },
  HTMLCanvasElement: () => canvas(document.createElement('canvas')),
  OffscreenCanvas: () => canvas(new OffscreenCanvas(1, 1)),
  VideoFrame: () => new VideoFrame(canvas(new OffscreenCanvas(1, 1)), { timestamp: 0 }),
};

it.each(Object.keys(kinds))('takes a %s, and leaves it to its owner', async (kind) => {
  const expected = await translator.translate(imageData(width, height));
  const image = await kinds[kind]?.();
  if (!image) throw new Error('internal: no image');
  expectSame(await translator.translate(image), expected);
  expectSame(await translator.translate(image), expected);
});

it('takes the frame that a video shows', async () => {
  const source = canvas(document.createElement('canvas'));
  const video = document.createElement('video');
  video.muted = true;
  video.srcObject = source.captureStream();
  await video.play();
  const { width: outWidth, height: outHeight, data } = await translator.translate(video);
  expect([outWidth, outHeight]).toEqual([width, height]);
  expect(new Set(data).size).toBeGreaterThan(16);
});

it('takes an image as it was at the call', async () => {
  const image = imageData(width, height);
  const drawn = canvas(new OffscreenCanvas(1, 1));
  const expected = await translator.translate(image);
  const calls = [image, drawn, image, drawn, image].map((source) => translator.translate(source));
  image.data.fill(0);
  drawn.getContext('2d')?.clearRect(0, 0, width, height);
  for (const result of await Promise.all(calls)) expectSame(result, expected);
});

it('turns a photograph upright by its EXIF orientation', async () => {
  const lying = await translator.translate(await file({ format: 'jpeg', orientation: 6 }));
  const turned = new OffscreenCanvas(height, width);
  const context = turned.getContext('2d');
  context?.transform(0, 1, -1, 0, height, 0);
  context?.drawImage(await createImageBitmap(await file({ format: 'jpeg' })), 0, 0);
  expectSame(lying, await translator.translate(turned));
});

it('refuses a file that is no image, and an element that holds none', async () => {
  const text = new File(['not a picture'], 'notes.jpg');
  await expect(translator.translate(text)).rejects.toMatchObject({
    name: 'CycleganError',
    code: 'input',
    message: expect.stringMatching(/notes\.jpg: expected a picture/),
  });
  const truncated = (await file()).slice(0, 90);
  await expect(translator.translate(truncated)).rejects.toMatchObject({ code: 'input' });
  await expect(translator.translate(new Image())).rejects.toMatchObject({ code: 'input' });
  const nothing = {} as ImageBitmap;
  await expect(translator.translate(nothing)).rejects.toMatchObject({ code: 'input' });
});

it('refuses a 30000x30000 bomb by its header', async () => {
  // A PNG's signature and IHDR: 30000x30000 RGBA. There is no pixel in it, so only its header can be refused.
  const bytes = Uint8Array.from([
    ...[0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52],
    ...[0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30, 8, 6, 0, 0, 0],
  ]);
  await expect(translator.translate(new File([bytes], 'bomb.png'))).rejects.toMatchObject({
    code: 'input',
    message: expect.stringMatching(/bomb\.png.*30000x30000/),
  });
});
