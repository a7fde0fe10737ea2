/** FID, KID, MiFID and SSIM are what PyTorch, numpy, scipy and scikit-image make of the same images. */
import { join } from 'node:path';
import { readSafetensors, type StoredTensor, writeSafetensors } from '@cyclegan/model';
import {
  drawSubsets,
  type FeatureRange,
  type Features,
  featureRanges,
  frechetDistance,
  kernelDistance,
  memorizationDistance,
  openFeatureModel,
  ssim,
} from '@cyclegan/train';
import { expect, test } from 'vitest';
import { writeFeatureModel } from '../support/feature-model.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { python, pythonHas, skipMessage } from './python.ts';

const shape = { channels: 3, height: 40, width: 28 };
const elements = 3 * 40 * 28;
const kidOptions = { subsets: 5, subsetSize: 8, seed: 3 };
/** More images than the 16 features; fewer, where the covariances are singular; and one of each. */
const cases = [
  { generated: 40, real: 40 },
  { generated: 10, real: 12 },
  { generated: 40, real: 9 },
].map((counts) => ({
  ...counts,
  subsets: drawSubsets({ ...kidOptions, counts: [counts.generated, counts.real] }).map((pair) =>
    pair.map((rows) => [...rows]),
  ),
}));

interface Reference {
  /** Of the first two generated images. */
  features: Record<FeatureRange, number[][]>;
  scipy: boolean;
  cases: { fid: number; kid: number; kidDeviation: number; memorization: number }[];
  ssim?: number;
}

/** Bytes of 40 pictures that differ: waves, with noise of their own. */
function pictures(seed: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: 40 * elements }, (_, at) => {
    const [image, channel] = [Math.floor(at / elements), Math.floor(at / (40 * 28)) % 3];
    const [y, x] = [Math.floor(at / 28) % 40, at % 28];
    const wave = Math.sin((0.1 + 0.02 * image) * x + seed * y * 0.13 + channel + image * image);
    const noise = Math.sin(12.9898 * at + seed) * 43758.5453;
    return 127.5 + 70 * wave + 60 * (noise - Math.floor(noise) - 0.5);
  });
}

const floats = (bytes: Uint8Array) => Float32Array.from(bytes, (value) => value / 127.5 - 1);

test('features and set distances agree', async (context) => {
  if (!(await pythonHas('torch'))) {
    const message = skipMessage('FID, KID and MiFID against PyTorch', 'torch');
    console.warn(message);
    context.skip(message);
  }
  const folder = temporaryFolder();
  const weights = join(folder, 'weights.safetensors');
  const model = await writeFeatureModel({ path: join(folder, 'features.onnx'), weights });
  const [generated, real] = [pictures(1), pictures(2)];
  const [image, reference] = [floats(generated).slice(0, elements), floats(real).slice(0, elements)];
  const input = join(folder, 'in.safetensors');
  await writeSafetensors(
    input,
    new Map<string, StoredTensor>([
      ...(await readSafetensors(weights)).tensors,
      ['generated', { dtype: 'U8', shape: [40, 3, 40, 28], data: generated }],
      ['real', { dtype: 'U8', shape: [40, 3, 40, 28], data: real }],
      ['image', { dtype: 'F32', shape: [3, 40, 28], data: image }],
      ['reference', { dtype: 'F32', shape: [3, 40, 28], data: reference }],
    ]),
    { size: '24', ranges: JSON.stringify(featureRanges), cases: JSON.stringify(cases) },
  );
  const { status, stdout, stderr } = await python('eval_reference.py', [input]);
  expect(stderr).toBe('');
  expect(status).toBe(0);
  const expected: Reference = JSON.parse(stdout);
  if (!expected.scipy) console.warn(skipMessage('FID against scipy.linalg.sqrtm (numpy instead)', 'scipy'));

  for (const range of featureRanges) {
    const features = await openFeatureModel({ model, range });
    const { data } = await features.describe(floats(generated.subarray(0, 2 * elements)), shape);
    await features.dispose();
    const wanted = expected.features[range].flat();
    const largest = Math.max(...wanted);
    for (const [at, value] of wanted.entries()) {
      expect(Math.abs((data[at] ?? Number.NaN) - value)).toBeLessThan(1e-5 * largest);
    }
  }

  const features = await openFeatureModel({ model });
  const ours = await features.describe(floats(generated), shape);
  const theirs = await features.describe(floats(real), shape);
  await features.dispose();
  for (const [index, counts] of cases.entries()) {
    const [x, y] = [first(ours, counts.generated), first(theirs, counts.real)];
    const kid = await kernelDistance({ x, y, ...kidOptions });
    const got = {
      fid: await frechetDistance(x, y),
      kid: kid.mean,
      kidDeviation: kid.deviation ?? Number.NaN,
      memorization: await memorizationDistance(x, y),
    };
    for (const [name, value] of Object.entries(expected.cases[index] ?? {})) {
      expect({ name, error: Math.abs(got[name as keyof typeof got] / value - 1) }).toEqual({
        name,
        error: expect.toSatisfy((error: number) => error < 1e-4),
      });
    }
  }
  expect(expected.cases).toHaveLength(cases.length);

  if (expected.ssim === undefined) console.warn(skipMessage('SSIM against scikit-image', 'skimage'));
  else expect(ssim({ image, reference, ...shape })).toBeCloseTo(expected.ssim, 6);
});

function first({ dimensions, data }: Features, count: number): Features {
  return { count, dimensions, data: data.subarray(0, count * dimensions) };
}
