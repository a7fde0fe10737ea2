/** The way of an image through tiles and a model, with functions of known answers in the model's place. */
import { type Pixels, type Planes, translatePixels } from '@cyclegan/runtime-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const colour = { channels: 3 } as const;
const grey = { channels: 1 } as const;
const model = { input: colour, output: colour, sizeMultiple: 4, minSize: 8 };
const identity = async (input: Planes): Promise<Planes> => input;

function noise(width: number, height: number, channels: Pixels['channels']): Pixels {
  let state = width * 31 + height;
  const data = Uint8Array.from({ length: width * height * channels }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
  return { width, height, channels, data };
}

describe('translatePixels', () => {
  it('gives the image itself through the identity, in any tiles, with its alpha', async () => {
    const sides = fc.integer({ min: 8, max: 90 });
    const property = fc.asyncProperty(
      sides,
      sides,
      fc.constantFrom(3 as const, 4 as const),
      fc.constantFrom('none' as const, 16, 24, 40),
      async (width, height, channels, tile) => {
        const pixels = noise(width, height, channels);
        expect(await translatePixels({ pixels, model, tile, run: identity })).toEqual(pixels);
      },
    );
    await fc.assert(property, { seed: 20170330, numRuns: 20 });
  });

  it('leaves the image that came in as it was', async () => {
    const pixels = noise(20, 20, 4);
    const before = pixels.data.slice();
    const negative = async (input: Planes) => ({ ...input, data: input.data.map((value) => -value) });
    const output = await translatePixels({ pixels, model, run: negative });
    expect(pixels.data).toEqual(before);
    expect(output.data[0]).toBe(255 - (before[0] ?? 0));
    expect(output.data[3]).toBe(before[3]);
  });

  it('hands the model sizes that it takes, and as many channels as it takes', async () => {
    const seen: Planes[] = [];
    const run = async (input: Planes) => {
      seen.push(input);
      return input;
    };
    const output = await translatePixels({
      pixels: noise(13, 9, 3),
      model: { ...model, input: grey, output: grey },
      run,
    });
    expect(seen).toMatchObject([{ width: 16, height: 12, channels: 1 }]);
    expect([output.width, output.height, output.channels]).toEqual([13, 9, 3]);
    expect(output.data[0]).toBe(output.data[1]);
  });

  it('keeps the alpha of grey images', async () => {
    const pixels = noise(8, 8, 2);
    const output = await translatePixels({ pixels, model, run: identity });
    const [value, alpha] = pixels.data;
    expect(Array.from(output.data.slice(0, 4))).toEqual([value, value, value, alpha]);
  });

  it('blends tiles that differ without a step', async () => {
    let tiles = 0;
    const run = async (input: Planes): Promise<Planes> => {
      const shade = tiles++ % 2 === 0 ? -0.5 : 0.5;
      return { ...input, data: input.data.map(() => shade) };
    };
    const output = await translatePixels({ pixels: noise(300, 8, 3), model, tile: 96, run });
    expect(tiles).toBe(5);
    const row = Array.from({ length: 300 }, (_, x) => output.data[3 * x] ?? 0);
    expect([Math.min(...row), Math.max(...row)]).toEqual([64, 191]);
    for (let x = 1; x < 300; x += 1) expect(Math.abs((row[x] ?? 0) - (row[x - 1] ?? 0))).toBeLessThan(12);
  });

  it('stops between tiles, and reports none after', async () => {
    const controller = new AbortController();
    let runs = 0;
    const run = async (input: Planes) => {
      runs += 1;
      if (runs === 3) controller.abort();
      return input;
    };
    const call = translatePixels({
      pixels: noise(64, 64, 3),
      model,
      tile: 16,
      run,
      signal: controller.signal,
    });
    await expect(call).rejects.toMatchObject({ code: 'aborted' });
    expect(runs).toBe(3);
  });

  it('says what the model was run at when it fails, and keeps the cause', async () => {
    const cause = new Error('out of memory');
    const call = translatePixels({ pixels: noise(10, 9, 3), model, run: () => Promise.reject(cause) });
    await expect(call).rejects.toMatchObject({
      code: 'device',
      message: expect.stringMatching(/12x12.*out of memory/),
      cause,
    });
  });

  it('refuses an output of another size, and pixels that are not all there', async () => {
    const smaller = async (input: Planes) => ({ ...input, width: input.width / 2 });
    await expect(translatePixels({ pixels: noise(8, 8, 3), model, run: smaller })).rejects.toMatchObject({
      code: 'bundle',
    });
    const short = { ...noise(8, 8, 3), height: 9 };
    await expect(translatePixels({ pixels: short, model, run: identity })).rejects.toMatchObject({
      code: 'input',
    });
  });
});
