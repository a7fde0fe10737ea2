/** The way of an image through tiles and a model, with functions of known answers in the model's place. */
import {
  type Pixels,
  type Planes,
  type PlanesSession,
  type Progress,
  type Region,
  type RunPlanes,
  sessionOf,
  type Tile,
  toByte,
  translatePixels,
} from '@cyclegan/runtime-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const colour = { channels: 3 } as const;
const grey = { channels: 1 } as const;
const model = { input: colour, output: colour, sizeMultiple: 4, minSize: 8 };
const identity: RunPlanes = async (input) => input;

/** Without a pair for tiles. */
async function translate({
  run,
  ...options
}: Omit<Parameters<typeof translatePixels>[0], 'session'> & { run: RunPlanes }) {
  const { pixels, statistics } = await translatePixels({ ...options, session: sessionOf(run) });
  expect(statistics).toBeNull();
  return pixels;
}

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
        expect(await translate({ pixels, model, tile, run: identity })).toEqual(pixels);
      },
    );
    await fc.assert(property, { seed: 20170330, numRuns: 20 });
  });

  it('only reads an opaque image, and of another changes colours that nobody sees', async () => {
    const negative = async (input: Planes) => ({ ...input, data: input.data.map((value) => -value) });
    for (const channels of [3, 4] as const) {
      const pixels = noise(20, 20, channels);
      if (channels === 4) for (let i = 3; i < pixels.data.length; i += 4) pixels.data[i] = i % 3 ? 255 : 0;
      const before = pixels.data.slice();
      const output = await translate({ pixels, model, run: negative });
      for (let at = 0; at < before.length; at += channels) {
        const hidden = channels === 4 && before[at + 3] === 0;
        const kept = hidden ? [] : Array.from(before.subarray(at, at + 3));
        expect(Array.from(pixels.data.subarray(at, at + kept.length))).toEqual(kept);
        expect(Array.from(output.data.subarray(at, at + kept.length))).toEqual(kept.map((v) => 255 - v));
        if (channels === 4)
          expect([pixels.data[at + 3], output.data[at + 3]]).toEqual([before[at + 3], before[at + 3]]);
      }
      if (channels === 4) expect(pixels.data).not.toEqual(before);
    }
  });

  it('hands the model sizes that it takes, and as many channels as it takes', async () => {
    const seen: Planes[] = [];
    const run = async (input: Planes) => {
      seen.push(input);
      return input;
    };
    const output = await translate({
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
    const output = await translate({ pixels, model, run: identity });
    const [value, alpha] = pixels.data;
    expect(Array.from(output.data.slice(0, 4))).toEqual([value, value, value, alpha]);
  });

  it('blends tiles that differ without a step', async () => {
    let tiles = 0;
    const run = async (input: Planes): Promise<Planes> => {
      const shade = tiles++ % 2 === 0 ? -0.5 : 0.5;
      return { ...input, data: input.data.map(() => shade) };
    };
    const output = await translate({ pixels: noise(300, 8, 3), model, tile: 96, run });
    expect(tiles).toBe(6);
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
    const call = translate({
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
    const call = translate({ pixels: noise(10, 9, 3), model, run: () => Promise.reject(cause) });
    await expect(call).rejects.toMatchObject({
      code: 'device',
      message: expect.stringMatching(/12x12.*out of memory/),
      cause,
    });
  });

  it('refuses an output of another size, and pixels that are not all there', async () => {
    const smaller = async (input: Planes) => ({ ...input, width: input.width / 2 });
    await expect(translate({ pixels: noise(8, 8, 3), model, run: smaller })).rejects.toMatchObject({
      code: 'bundle',
    });
    const short = { ...noise(8, 8, 3), height: 9 };
    await expect(translate({ pixels: short, model, run: identity })).rejects.toMatchObject({
      code: 'input',
    });
  });
});

/** One normalisation, as a model and as its pair for tiles; `passes` counts the tiles run. */
function normalisation() {
  const statisticsOf = ({ width, channels, data }: Planes, core: Region) => {
    const size = data.length / channels;
    const rows = Array.from({ length: channels }, (_, c) => {
      const values: number[] = [];
      for (let y = core.top; y < core.top + core.height; y += 1) {
        const from = c * size + y * width + core.left;
        values.push(...data.subarray(from, from + core.width));
      }
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length };
    });
    return Float32Array.from([...rows.map(({ mean }) => mean), ...rows.map(({ variance }) => variance)]);
  };
  const all = ({ width, height }: Planes) => ({ left: 0, top: 0, width, height });
  const normalised = (planes: Planes, by: Float32Array): Planes => {
    const size = planes.data.length / planes.channels;
    return {
      ...planes,
      data: planes.data.map((value, i) => {
        const [mean = 0, variance = 1] = [
          by[Math.floor(i / size)],
          by[planes.channels + Math.floor(i / size)],
        ];
        return (0.3 * (value - mean)) / Math.sqrt(variance);
      }),
    };
  };
  const counted = { tiles: 0, samples: 0 };
  const session: PlanesSession = {
    run: async (batch) => batch.map((planes) => normalised(planes, statisticsOf(planes, all(planes)))),
    tiles: {
      async statistics(image, correction) {
        counted.samples += 1;
        return statisticsOf(image, all(image)).map((value, i) => {
          const by = correction?.[i];
          if (by === undefined) return value;
          return i < image.channels ? value + by : value * by;
        });
      },
      async run(tile, statistics, core) {
        counted.tiles += 1;
        return { planes: normalised(tile, statistics), statistics: statisticsOf(tile, core) };
      },
    },
  };
  return { session, counted };
}

describe('translatePixels with a pair for tiles', () => {
  const pixels = noise(320, 260, 3);
  // What is at the edge is rare in a sample.
  pixels.data = pixels.data.map((value, i) => (Math.floor(i / 3) % 320 < 30 ? 255 : value / 8));
  const tile = 160;
  const count = 3 * 3;

  it('gives the whole image’s translation, and runs the tiles until their statistics agree', async () => {
    const { session, counted } = normalisation();
    const whole = await translatePixels({ pixels, model, session, tile: 'none' });
    const seen: Progress[] = [];
    const tiled = await translatePixels({
      pixels,
      model,
      session,
      tile,
      onProgress: (progress) => seen.push(progress),
    });
    const off = tiled.pixels.data.map((value, i) => Math.abs(value - (whole.pixels.data[i] ?? 0)));
    expect(off.filter((levels) => levels > 1).length).toBe(0);
    // A sample is wrong, one correction of it is right, since there is one layer alone.
    expect(counted).toEqual({ tiles: 2 * count, samples: 2 });
    const done = seen.map((progress) => progress.done);
    expect(done).toEqual([...done].sort((a, b) => a - b));
    expect(seen.at(-1)?.done).toBe(seen.at(-1)?.total);
  });

  it('gives the image’s statistics, alone or beside the translation, tiled or whole', async () => {
    const { session } = normalisation();
    const statistics = async (options: { tile: Tile; statistics: 'own' | 'only' }) =>
      (await translatePixels({ pixels, model, session, ...options })).statistics ?? [];
    const exact = Array.from(await statistics({ tile: 'none', statistics: 'own' }));
    for (const asked of ['own', 'only'] as const) {
      for (const [i, value] of (await statistics({ tile, statistics: asked })).entries()) {
        expect(value).toBeCloseTo(exact[i] ?? Number.NaN, 3);
      }
    }
    expect(Array.from(await statistics({ tile: 'none', statistics: 'only' }))).toEqual(exact);
  });

  it('goes once by statistics that are given, and says the image’s own', async () => {
    const { session, counted } = normalisation();
    const { statistics: own } = await translatePixels({ pixels, model, session, tile, statistics: 'own' });
    counted.tiles = 0;
    const given = Float32Array.of(0, 0, 0, 1, 1, 1);
    const frame = await translatePixels({ pixels, model, session, tile, statistics: given });
    expect(counted.tiles).toBe(count);
    for (const [i, value] of (frame.statistics ?? []).entries())
      expect(value).toBeCloseTo(own?.[i] ?? Number.NaN, 5);
    expect(frame.pixels.data[1]).toBe(toByte(0.3 * ((pixels.data[1] ?? 0) / 127.5 - 1)));
  });
});
