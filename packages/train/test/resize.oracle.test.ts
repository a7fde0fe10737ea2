// Resizing is Pillow's antialiased bicubic, which the reference uses; PyTorch has the same and is asked here.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { python, pythonHas, skipMessage } from '../../../test/oracles/python.ts';
import { loadImage, openImageSet } from '../dist/data/index.js';
import { temporaryFolder, writeImage } from './temp-folder.js';

const root = temporaryFolder();
const script = fileURLToPath(new URL('resize_bicubic.py', import.meta.url));
const present = await pythonHas('torch');
if (!present) console.warn(skipMessage('resizing against PyTorch', 'torch'));

/** Shapes and edges of all directions, and some noise that is always the same. */
function picture(height: number, width: number): Float32Array {
  let seed = 1;
  return Float32Array.from({ length: 3 * height * width }, (_, place) => {
    seed = (seed * 48_271) % 2_147_483_647;
    const [c, y, x] = [Math.floor(place / height / width), Math.floor(place / width) % height, place % width];
    const wave = 100 + 60 * Math.sin(x / 5 + c) + 50 * Math.cos(y / 7);
    return Math.round(Math.min(255, Math.max(0, wave + (x > y ? 30 : 0) + (seed % 40) - 20)));
  });
}

async function oracle(planes: Float32Array, [height, width]: number[], [toHeight, toWidth]: number[]) {
  const [source, target] = [join(root, 'in.f32'), join(root, 'out.f32')];
  writeFileSync(source, planes);
  const sizes = [height, width, toHeight, toWidth].map(String);
  const { status, stderr } = await python(script, [source, ...sizes, target]);
  expect(stderr).toBe('');
  expect(status).toBe(0);
  const bytes = readFileSync(target);
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}

describe.skipIf(!present)('shrinking', () => {
  it('equals PyTorch within three grey levels', async () => {
    const [height, width] = [140, 61];
    const shape = { height: 40, width: 44, channels: 3 } as const;
    const planes = picture(height, width);
    const pixels = Buffer.alloc(planes.length);
    for (let i = 0; i < pixels.length; i++) {
      pixels[i] = planes[(i % 3) * height * width + Math.floor(i / 3)] ?? 0;
    }
    await writeImage(join(root, 'set', 'a.png'), sharp(pixels, { raw: { height, width, channels: 3 } }));
    const set = await openImageSet({ path: join(root, 'set'), domain: 'A', atLeast: 1 });
    const ours = await loadImage(set, 0, shape);
    const theirs = await oracle(planes, [height, width], [shape.height, shape.width]);
    expect(ours).toHaveLength(theirs.length);
    const differences = ours.map((value, place) =>
      Math.abs((value + 1) * 127.5 - (theirs[place] ?? Number.NaN)),
    );
    expect(Math.max(...differences)).toBeLessThan(3);
    expect(differences.reduce((sum, difference) => sum + difference) / ours.length).toBeLessThan(0.5);
  });
});
