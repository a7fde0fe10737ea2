// The feature model: what it takes from the file, what from the options, and what it says to a file that is none.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FEATURE_DIMENSIONS, writeFeatureModel } from '../../../test/support/feature-model.js';
import { type FeatureModelOptions, openFeatureModel } from '../dist/evaluation/index.js';
import { temporaryFolder } from './temp-folder.js';

const folder = temporaryFolder();
let made = 0;
const write = (options: Omit<Parameters<typeof writeFeatureModel>[0], 'path'> = {}) =>
  writeFeatureModel({ ...options, path: join(folder, `${made++}.onnx`) });

const shape = { channels: 3, height: 20, width: 30 };
const count = 11;
const images = Float32Array.from({ length: count * 3 * 20 * 30 }, (_, at) => Math.sin(at * at));

async function describeWith(options: FeatureModelOptions, given = images, of = shape) {
  const features = await openFeatureModel(options);
  try {
    return await features.describe(given, of);
  } finally {
    await features.dispose();
    await features.dispose();
  }
}

describe('a feature model', () => {
  it('describes each image by itself, however many a run takes', async () => {
    const free = await describeWith({ model: await write() });
    expect({ ...free, data: free.data.length }).toEqual({
      count,
      dimensions: FEATURE_DIMENSIONS,
      data: count * FEATURE_DIMENSIONS,
    });
    const fixed = await describeWith({ model: await write({ batch: 4 }) });
    for (const [at, value] of free.data.entries()) expect(fixed.data[at]).toBeCloseTo(value, 5);
    const alone = await describeWith({ model: await write() }, images.subarray(-1800));
    for (const [at, value] of alone.data.entries()) {
      expect(free.data[(count - 1) * FEATURE_DIMENSIONS + at]).toBeCloseTo(value, 5);
    }
  });

  it('takes its size from the file, and from the options where the file leaves it open', async () => {
    const open = async (options: { size?: number; given?: number }) => {
      const features = await openFeatureModel({
        model: await write({ size: options.size ?? 'free' }),
        size: options.given,
      });
      await features.dispose();
      return features.size;
    };
    expect(await open({ size: 24 })).toBe(24);
    expect(await open({ given: 32 })).toBe(32);
    expect(await open({})).toBe(299);
  });

  it('sees images as files of 8 bits hold them', async () => {
    const model = await write();
    const exact = await describeWith({ model });
    const rounded = await describeWith(
      { model },
      images.map((value) => Math.round((value + 1) * 127.5) / 127.5 - 1),
    );
    expect(rounded.data).toEqual(exact.data);
    const beyond = await describeWith({ model }, new Float32Array(1800).fill(7));
    expect(beyond.data).toEqual((await describeWith({ model }, new Float32Array(1800).fill(1))).data);
  });

  it('sees grey as three equal colours', async () => {
    const model = await write();
    const plane = images.subarray(0, 600);
    const grey = await describeWith({ model }, plane, { ...shape, channels: 1 });
    const colours = Float32Array.from({ length: 1800 }, (_, at) => plane[at % 600] ?? 0);
    const colour = await describeWith({ model }, colours);
    for (const [at, value] of colour.data.entries()) expect(grey.data[at]).toBeCloseTo(value, 5);
  });
});

describe('a file that is no feature model', () => {
  const open = (options: FeatureModelOptions) => expect(openFeatureModel(options)).rejects;

  it('is refused in one sentence', async () => {
    const broken = join(folder, 'broken.onnx');
    writeFileSync(broken, 'no model');
    await open({ model: join(folder, 'none.onnx') }).toThrow(/none\.onnx: expected an ONNX file.*ENOENT/);
    await open({ model: broken }).toThrow(/broken\.onnx: expected an ONNX file that onnxruntime can open/);
    await open({ model: await write({ channels: 1 }) }).toThrow(
      /one float32 input \[N, 3, H, W\], got float32 \[N, 1, 24, 24\]/,
    );
    await open({ model: await write({ unpooled: true }) }).toThrow(
      /one vector for each image.*got float32 \[1, 16, 6, 6\] for 1 images\. Make one as docs\/evaluation\.md shows/,
    );
    await open({ model: await write({ size: 24 }), size: 32 }).toThrow(/a size of 24.*got 32/);
    await open({ model: await write({ size: 'free' }), size: 0 }).toThrow(
      /a size from 1 to 2048 pixels, got 0/,
    );
  });
});
