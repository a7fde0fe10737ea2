/** Bundles other than the plain one: grey in, grey out, and a network whose least size is larger than the image. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Direction } from '@cyclegan/runtime-core';
import { createTranslator } from '@cyclegan/runtime-node';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeBundle } from '../../../test/support/make-bundle.ts';
import { noise } from './support.ts';

const multiple = 32;
const dir = mkdtempSync(join(tmpdir(), 'cyclegan-test-'));
let bundle: string;
beforeAll(async () => {
  // A is grey, B has colours.
  const generator = { kind: 'unet', downs: 5, ngf: 4, inputChannels: 1 } as const;
  ({ bundle } = await makeBundle({ dir, generator, seed: 3 }));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

interface Rgb {
  width: number;
  height: number;
  data: Uint8Array;
}

async function translate(
  direction: Direction,
  image: Uint8Array,
  tile: number | 'none' = 'none',
): Promise<Rgb> {
  const translator = await createTranslator(bundle, { direction, device: 'cpu', tile });
  try {
    const output = await translator.translate(image);
    const { data, info } = await output.raw().toBuffer({ resolveWithObject: true });
    expect(info.channels).toBe(3);
    return { width: info.width, height: info.height, data: new Uint8Array(data) };
  } finally {
    await translator.dispose();
  }
}

/** The model alone, on one plane or three of bytes, and its answer as bytes. */
async function run(direction: Direction, planes: readonly Uint8Array[]): Promise<Uint8Array[]> {
  const session = await InferenceSession.create(readFileSync(join(bundle, `${direction}.fp32.onnx`)));
  const values = Float32Array.from(planes.flatMap((plane) => Array.from(plane, (byte) => byte / 127.5 - 1)));
  const image = new Tensor('float32', values, [1, planes.length, multiple, multiple]);
  const { translation } = await session.run({ image });
  await session.release();
  const area = multiple * multiple;
  const bytes = Uint8Array.from(translation?.data as Float32Array, (value) =>
    Math.round((value + 1) * 127.5),
  );
  return Array.from({ length: bytes.length / area }, (_, i) => bytes.subarray(i * area, (i + 1) * area));
}

/** Pixels one after another from planes, or from one plane three times. */
function interleaved(planes: readonly Uint8Array[]): Uint8Array {
  const [red = new Uint8Array(), green = red, blue = red] = planes;
  return Uint8Array.from(
    { length: 3 * red.length },
    (_, i) => [red, green, blue][i % 3]?.[Math.floor(i / 3)] ?? 0,
  );
}

function expectWithinOneLevel(got: Uint8Array, wanted: Uint8Array): void {
  expect(got.length).toBe(wanted.length);
  const worst = got.reduce((most, value, i) => Math.max(most, Math.abs(value - (wanted[i] ?? 999))), 0);
  expect(worst).toBeLessThanOrEqual(1);
  expect(new Set(got).size).toBeGreaterThan(50);
}

test('a model of grey sees colour by the luma that Pillow takes, and gives what it gives', async () => {
  const rgb = new Uint8Array(await noise(multiple, multiple).raw().toBuffer());
  for (let i = 0; i < rgb.length; i += 1) rgb[i] = ((rgb[i] ?? 0) * (1 + (i % 3))) / 3;
  const png = await sharp(rgb, { raw: { width: multiple, height: multiple, channels: 3 } })
    .png()
    .toBuffer();
  const grey = Uint8Array.from({ length: multiple * multiple }, (_, i) => {
    const [red = 0, green = 0, blue = 0] = rgb.subarray(3 * i);
    return (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16;
  });
  const answer = await run('AtoB', [grey]);
  expect(answer).toHaveLength(3);
  expectWithinOneLevel((await translate('AtoB', png)).data, interleaved(answer));
});

test('a model that gives grey gives it as equal red, green and blue', async () => {
  const bytes = new Uint8Array(
    await noise(multiple, multiple).removeAlpha().extractChannel(0).raw().toBuffer(),
  );
  const raw = { width: multiple, height: multiple, channels: 1 } as const;
  const png = await sharp(bytes, { raw }).toColourspace('b-w').png().toBuffer();
  expect((await sharp(png).metadata()).channels).toBe(1);
  const answer = await run('BtoA', [bytes, bytes, bytes]);
  expect(answer).toHaveLength(1);
  expectWithinOneLevel((await translate('BtoA', png)).data, interleaved(answer));
});

test.each([
  [8, 8],
  [31, 20],
  [33, 70],
])('an image of %ix%i, which the model cannot take as it is, keeps its size', async (width, height) => {
  const png = await noise(width, height).png().toBuffer();
  const whole = await translate('BtoA', png);
  expect([whole.width, whole.height]).toEqual([width, height]);
  expect(new Set(whole.data).size).toBeGreaterThan(16);
  // Red, green and blue are one.
  expect(whole.data).toEqual(interleaved([whole.data.filter((_, i) => i % 3 === 0)]));
});

test('tiles of what the model takes at least cover a large image', async () => {
  const png = await noise(150, 90).png().toBuffer();
  const tiled = await translate('AtoB', png, multiple);
  expect([tiled.width, tiled.height]).toEqual([150, 90]);
  expect(new Set(tiled.data.filter((_, i) => i % 3 === 0)).size).toBeGreaterThan(16);
});
