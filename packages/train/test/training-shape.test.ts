// The size that a run's images come to, settled from headers; and its rounding, which is the reference's.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  createDataSource,
  openImageSet,
  type TrainingShapeOptions,
  trainingShape,
} from '../dist/data/index.js';
import { gradient, temporaryFolder, writeImage } from './temp-folder.js';

const root = temporaryFolder();
let folders = 0;

/** A set of two images of a size, `[width, height]`, or of two sizes. */
async function set(domain: 'A' | 'B', ...sizes: [number, number][]) {
  const path = join(root, String(folders++));
  for (const [index, [width, height]] of [...sizes, ...sizes].slice(0, 2).entries()) {
    await writeImage(join(path, `${index}.png`), gradient(width, 0, height));
  }
  return openImageSet({ path, domain });
}

function shape(
  a: Awaited<ReturnType<typeof set>>,
  b: Awaited<ReturnType<typeof set>>,
  options: Partial<TrainingShapeOptions>,
) {
  return trainingShape(a, b, { preprocess: 'none', size: 16, loadSize: 20, multiple: 4, ...options });
}

describe('trainingShape', async () => {
  const [a, b] = [await set('A', [50, 30]), await set('B', [50, 30])];

  it('is the square of a crop, whatever the images measure', async () => {
    const odd = await set('B', [33, 77], [90, 21]);
    for (const preprocess of [
      'resize_and_crop',
      'crop',
      'scale_width_and_crop',
      'scale_shortside_and_crop',
    ] as const) {
      expect(await shape(a, odd, { preprocess })).toEqual({ height: 16, width: 16 });
    }
  });

  it.each([
    // As Python rounds 50/4 = 12.5 and 30/4 = 7.5: to even.
    { preprocess: 'none', multiple: 4, expected: { height: 32, width: 48 } },
    { preprocess: 'none', multiple: 32, expected: { height: 32, width: 64 } },
    { preprocess: 'none', multiple: 256, expected: { height: 256, width: 256 } },
    { preprocess: 'scale_width', loadSize: 100, multiple: 4, expected: { height: 60, width: 100 } },
    { preprocess: 'scale_width', loadSize: 30, multiple: 4, expected: { height: 16, width: 32 } },
  ] as const)('$preprocess with multiples of $multiple', async ({ expected, ...options }) => {
    const found = await shape(a, b, options);
    expect(found).toEqual(expected);
    const source = createDataSource({ a, b, ...found, loadSize: 0, ...options, batch: 1, seed: 1 });
    expect((await source.batch(0)).a).toHaveLength(3 * expected.height * expected.width);
  });

  it('asks all images to agree, and names the two that do not', async () => {
    const other = await set('B', [50, 30], [50, 38]);
    await expect(shape(a, other, {})).rejects.toMatchObject({
      code: 'input',
      message: expect.stringMatching(
        /preprocess none: .* got 48×32 \(A: 0\.png\) and 48×40 \(B: 1\.png\)\. Use scale_width_and_crop or crop\.$/,
      ),
    });
    // 50 × 30 and 100 × 60 agree once they are equally wide.
    const twice = await set('B', [100, 60]);
    await expect(shape(a, twice, {})).rejects.toMatchObject({ code: 'input' });
    expect(await shape(a, twice, { preprocess: 'scale_width' })).toEqual({ height: 12, width: 20 });
  });

  it('leaves out what has gone since, stops on request, and says when nothing is left', async () => {
    const gone = { ...b, header: () => Promise.reject(new Error('gone')) };
    expect(await shape(a, gone, {})).toEqual({ height: 32, width: 48 });
    await expect(shape(gone, gone, {})).rejects.toMatchObject({ code: 'input' });
    await expect(shape(a, b, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' });
    // Headers were read when the sets were checked, and are remembered.
    rmSync(b.path, { recursive: true });
    expect(await shape(a, b, {})).toEqual({ height: 32, width: 48 });
  });
});
