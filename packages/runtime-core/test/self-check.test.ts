/** What is believed of a bundle and of a session: sizes, hashes, the known patch. */
import { readFileSync } from 'node:fs';
import {
  checkModelFile,
  encodePatch,
  type ModelEntry,
  type Planes,
  parseManifest,
  runSelfCheck,
  toByte,
  toPlanes,
} from '@cyclegan/runtime-core';
import { describe, expect, it } from 'vitest';

const path = new URL('../../../test/fixtures/tiny-bundle/manifest.json', import.meta.url);
const [tiny] = parseManifest(JSON.parse(readFileSync(path, 'utf8')), 'tiny').models;
if (!tiny) throw new Error('the tiny bundle holds no model');

const side = 4;
const input = Float32Array.from({ length: 3 * side * side }, (_, i) => i / 24 - 1);
const answer = input.map((value) => -value);
const model: ModelEntry = {
  ...tiny,
  minSize: side,
  selfCheck: {
    width: side,
    height: side,
    input: encodePatch({ data: input }),
    output: encodePatch({ data: answer }),
    tolerance: 0.01,
  },
};
const giving = (change: (value: number, i: number) => number) => async (planes: Planes) => ({
  ...planes,
  data: answer.map(change),
});

describe('the self-check', () => {
  it('runs the patch of the manifest and returns the largest difference', async () => {
    const seen: Planes[] = [];
    const error = await runSelfCheck(model, (planes) => {
      seen.push(planes);
      return giving((value, i) => (i === 7 ? value + 0.005 : value))(planes);
    });
    expect(seen).toEqual([{ width: side, height: side, channels: 3, data: input }]);
    expect(error).toBeCloseTo(0.005, 6);
  });

  it('pads a patch that is smaller than what the model takes, and crops the answer, as for any image', async () => {
    const larger = { ...model, sizeMultiple: 16, minSize: 32 };
    const seen: Planes[] = [];
    const error = await runSelfCheck(larger, async (planes) => {
      seen.push(planes);
      return { ...planes, data: planes.data.map((value) => -value) };
    });
    expect(error).toBe(0);
    expect(seen).toMatchObject([{ width: 32, height: 32, channels: 3 }]);
    // An image whose bytes are their own places shows which pixel a translation puts where.
    const places = Uint8Array.from({ length: side * side }, (_, i) => i);
    const image = { width: side, height: side, channels: 1, data: places } as const;
    const padded = toPlanes(image, 1, { left: 0, top: 0, width: 32, height: 32 });
    const expected = padded.data.map((value) => input[toByte(value)] ?? Number.NaN);
    expect(seen[0]?.data.subarray(0, 32 * 32)).toEqual(expected);
  });

  it.each([
    ['one value off', giving((value, i) => (i === 40 ? value + 0.02 : value)), 'off by 0.0200'],
    ['NaN', giving((value, i) => (i === 0 ? Number.NaN : value)), 'NaN'],
    ['zeros', giving(() => 0), 'off by 1.00'],
    ['too few values', async (planes: Planes) => ({ ...planes, data: answer.slice(1) }), '47'],
  ])('refuses %s', async (_, run, got) => {
    await expect(runSelfCheck(model, run)).rejects.toMatchObject({
      code: 'device',
      message: expect.stringContaining(got),
    });
  });

  it('refuses a patch that is not of its size', async () => {
    const wrong = { ...model, selfCheck: { ...model.selfCheck, width: side + 1 } };
    await expect(
      runSelfCheck(
        wrong,
        giving((value) => value),
      ),
    ).rejects.toMatchObject({
      code: 'bundle',
      message: expect.stringContaining('3x4x5'),
    });
  });

  it('reads back the patch that it wrote, of any length', () => {
    const long = Float32Array.from({ length: 3 * 64 * 64 }, (_, i) => Math.sin(i));
    const bytes = Uint8Array.from(atob(encodePatch({ data: long })), (c) => c.charCodeAt(0));
    expect(new Float32Array(bytes.buffer)).toEqual(long);
  });
});

describe('the model file', () => {
  const sha256 = 'a'.repeat(64);
  it('passes with its size and hash', () => {
    checkModelFile({ bytes: 10, sha256 }, { bytes: 10 }, 'x.onnx');
    checkModelFile({ bytes: 10, sha256 }, { bytes: 10, sha256 }, 'x.onnx');
  });
  it.each([
    [{ bytes: 9 }, 'expected 10 bytes, got 9'],
    [{ bytes: 10, sha256: 'b'.repeat(64) }, 'got bbbb'],
  ])('is refused with %o', (found, message) => {
    const check = () => checkModelFile({ bytes: 10, sha256 }, found, 'x.onnx');
    expect(check).toThrow(expect.objectContaining({ code: 'bundle' }));
    expect(check).toThrow(message);
  });
});
