/** The pair for tiles: on the whole image it answers as the graph does, and tiles by shared statistics agree with it. */
import { quantize, statisticsGraph, tileGraph, toFp16 } from '@cyclegan/export';
import { type Graph, InstanceNormalization } from '@cyclegan/graph';
import type { GeneratorConfig } from '@cyclegan/model';
import { createStatisticsPool } from '@cyclegan/runtime-core';
import { Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { apart, floats, foreignGenerator, generator, image, run } from './variants-support.ts';

const kinds: Record<string, Partial<GeneratorConfig>> = {
  resnet: {},
  'resnet, resized, colour to grey': { upsample: 'resize', outputChannels: 1 },
  unet: { kind: 'unet', downs: 5, ngf: 2 },
};

/** Of a graph's normalised channels all together. */
function channelsOf(graph: Graph): number {
  return graph.nodes
    .filter(({ op }) => op === InstanceNormalization)
    .reduce((sum, { outputs }) => sum + Number(outputs[0]?.shape[1]), 0);
}

/** Statistics of an image by the graph that gives them, uncorrected. */
async function statisticsOf(graph: Graph, feed: Tensor): Promise<Record<string, Tensor>> {
  const [batch = 1, total] = [feed.dims[0], channelsOf(graph)];
  const neutral = Float32Array.from({ length: 2 * batch * total }, (_, i) => Math.floor(i / total) % 2);
  const correction = new Tensor('float32', neutral, [batch, 2, total]);
  return run(statisticsGraph(graph), { image: feed, correction });
}

/** All of a picture. */
function coreOf(feed: Tensor): Tensor {
  const [height = 0, width = 0] = feed.dims.slice(2);
  return new Tensor('float32', Float32Array.of(0, 0, height, width), [1, 1, 4]);
}

describe.each(Object.entries(kinds))('%s', (_, config) => {
  const graph = generator(config);
  const [statistics, tile] = [statisticsGraph(graph), tileGraph(graph)];
  const channels = channelsOf(graph);
  const side = config.kind === 'unet' ? 96 : 36;

  test('on a whole image, sample by sample', async () => {
    const feed = image([2, 3, side, 64]);
    const taken = await statisticsOf(graph, feed);
    expect(Object.keys(taken)).toEqual(['statistics']);
    expect(taken['statistics']?.dims).toEqual([2, 2, channels]);
    const plain = await run(graph, { image: feed });
    const tiled = await run(tile, { image: feed, core: coreOf(feed), ...taken });
    expect(apart(plain['translation'], tiled['translation'])).toBeLessThan(1e-4);
    expect(apart(taken['statistics'], tiled['own_statistics'])).toBeLessThan(1e-4);
    // By the other sample's statistics it is another picture, so that the samples were told apart.
    const swapped = floats(taken['statistics']).slice();
    swapped.set(floats(taken['statistics']).subarray(2 * channels));
    swapped.set(floats(taken['statistics']).subarray(0, 2 * channels), 2 * channels);
    const mixed = await run(tile, {
      image: feed,
      core: coreOf(feed),
      statistics: new Tensor('float32', swapped, [2, 2, channels]),
    });
    expect(apart(plain['translation'], mixed['translation'])).toBeGreaterThan(1e-2);
  });

  test('the statistics’ graph holds nothing that they do not need', () => {
    const last = graph.nodes.findLastIndex(({ op }) => op === InstanceNormalization);
    const after = graph.nodes.slice(last + 1).flatMap(({ inputs }) => inputs.map((input) => input?.name));
    const held = new Set(statistics.nodes.flatMap(({ inputs }) => inputs.map((input) => input?.name)));
    expect(statistics.nodes.some(({ op }) => op.name === 'Tanh' || op === InstanceNormalization)).toBe(false);
    expect(after.filter((name) => name?.endsWith('.weight') && held.has(name))).toEqual([]);
  });
});

test.each<[string, Partial<GeneratorConfig>]>([
  ['resnet', { ngf: 16 }],
  ['unet', { kind: 'unet', downs: 5, ngf: 8 }],
])('%s in every precision, by its own statistics', async (_, config) => {
  const graph = generator(config);
  const tensorOf = (seed: number) => {
    const { dims, data } = image([1, 3, 64, 64], seed);
    return { shape: dims, data: data as Float32Array<ArrayBuffer> };
  };
  const images = { calibration: [tensorOf(5)], evaluation: [tensorOf(6)], psnrTarget: 10 };
  const feed = image([2, 3, 64, 96]);
  for (const { graph: made } of [
    toFp16(graph, { mode: 'weights' }),
    toFp16(graph, { mode: 'full' }),
    await quantize(graph, images),
  ]) {
    const taken = await statisticsOf(made, feed);
    expect(floats(taken['statistics']).every(Number.isFinite)).toBe(true);
    const tile = tileGraph(made);
    expect(tile.nodes.filter(({ op }) => op === InstanceNormalization)).toEqual([]);
    const [plain, tiled] = [
      await run(made, { image: feed }),
      await run(tile, { image: feed, core: coreOf(feed), ...taken }),
    ];
    expect(apart(plain['translation'], tiled['translation'])).toBeLessThan(1e-4);
  }
});

test('groups, which are normalised as InstanceNormalization of rank 3', async () => {
  const graph = foreignGenerator();
  const feed = image([2, 3, 21, 30]);
  const taken = await statisticsOf(graph, feed);
  expect(taken['statistics']?.dims).toEqual([2, 2, 2]);
  const [plain, tiled] = [
    await run(graph, { image: feed }),
    await run(tileGraph(graph), { image: feed, core: coreOf(feed), ...taken }),
  ];
  expect(apart(plain['translation'], tiled['translation'])).toBeLessThan(1e-4);
});

test('means and biased variances, in the order of the layers', async () => {
  const graph = generator();
  const [first] = graph.nodes.filter(({ op }) => op === InstanceNormalization);
  const seen = first?.inputs[0];
  if (!seen) throw new Error('the generator has no InstanceNormalization');
  const feed = image([1, 3, 20, 24]);
  const { statistics } = await statisticsOf(graph, feed);
  graph.output('seen', seen);
  const values = floats((await run(graph, { image: feed }))['seen']);
  const [area, count] = [20 * 24, Number(seen.shape[1])];
  const all = floats(statistics);
  for (let channel = 0; channel < count; channel++) {
    const own = values.subarray(channel * area, (channel + 1) * area);
    const mean = own.reduce((sum, value) => sum + value, 0) / area;
    const variance = own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / area;
    expect(all[channel]).toBeCloseTo(mean, 4);
    expect(all[all.length / 2 + channel]).toBeCloseTo(variance, 4);
  }
});

test('a tile’s own statistics are of what is normalised by those given', async () => {
  const graph = generator();
  const tile = tileGraph(graph);
  const [feed, other] = [image([1, 3, 32, 40]), image([1, 3, 32, 40], 9)];
  const own = floats((await statisticsOf(graph, feed))['statistics']);
  const given = (await statisticsOf(graph, other))['statistics'];
  if (!given) throw new Error('no statistics');
  const seen = floats(
    (await run(tile, { image: feed, core: coreOf(feed), statistics: given }))['own_statistics'],
  );
  const half = own.length / 2;
  const first = Number(graph.nodes.find(({ op }) => op === InstanceNormalization)?.outputs[0]?.shape[1]);
  // Nothing is normalised before the first layer; behind it, what comes is another picture.
  const differences = own.map((value, i) => Math.abs(value - (seen[i] ?? Number.NaN)));
  for (const row of [0, half]) {
    expect(Math.max(...differences.subarray(row, row + first))).toBeLessThan(1e-4);
    expect(Math.max(...differences.subarray(row + first, row + half))).toBeGreaterThan(1e-2);
  }
  // By statistics that are far off, too: no rounding makes a variance less than nothing.
  const far = new Tensor('float32', new Float32Array(own.length).fill(1e3), given.dims);
  const off = floats(
    (await run(tile, { image: feed, core: coreOf(feed), statistics: far }))['own_statistics'],
  );
  expect(off.subarray(half).every((variance) => variance >= 0)).toBe(true);
});

test('corrected, they are what the image is normalised by, and no longer its own', async () => {
  const graph = generator();
  const feed = image([1, 3, 32, 40]);
  const total = channelsOf(graph);
  const correction = Float32Array.from({ length: 2 * total }, (_, i) =>
    i < total ? 0.02 * ((i % 7) - 3) : 0.8 + 0.1 * (i % 5),
  );
  const taken = await run(statisticsGraph(graph), {
    image: feed,
    correction: new Tensor('float32', correction, [1, 2, total]),
  });
  const { own_statistics: own } = await run(tileGraph(graph), { image: feed, core: coreOf(feed), ...taken });
  const corrected = floats(own).map((value, i) => {
    const by = correction[i] ?? Number.NaN;
    return i < total ? value + by : value * by;
  });
  expect(apart(new Tensor('float32', corrected, [1, 2, total]), taken['statistics'])).toBeLessThan(1e-4);
  const { statistics: plain } = await statisticsOf(graph, feed);
  expect(apart(plain, taken['statistics'])).toBeGreaterThan(1e-2);
});

/** The columns `left … left + width` of a picture. */
function cut(tensor: Tensor | undefined, left: number, width: number): Tensor {
  const [n = 1, c = 1, h = 1, w = 1] = tensor?.dims ?? [];
  const data = floats(tensor).filter((_, i) => i % w >= left && i % w < left + width);
  return new Tensor('float32', data, [n, c, h, width]);
}

test('tiles by shared statistics are the whole image’s, and tiles by their own are not', async () => {
  const graph = generator();
  const [width, overlap] = [160, 32];
  const feed = image([1, 3, 64, width]);
  const whole = (await run(graph, { image: feed }))['translation'];
  const shared = await statisticsOf(graph, feed);
  const answers = async (model: Graph, more: Record<string, Tensor>) => {
    const off: number[] = [];
    for (const left of [0, 64]) {
      const { translation } = await run(model, { image: cut(feed, left, 96), ...more });
      // Past the overlap the tile sees all that the whole image's pixels come from.
      const from = left === 0 ? 0 : overlap;
      off.push(apart(cut(translation, from, 96 - overlap), cut(whole, left + from, 96 - overlap)));
    }
    return Math.max(...off);
  };
  expect(await answers(tileGraph(graph), { ...shared, core: coreOf(cut(feed, 0, 96)) })).toBeLessThan(1e-3);
  expect(await answers(graph, {})).toBeGreaterThan(2e-2);
});

test('the cores of tiles together have the statistics of the whole', async () => {
  const graph = generator();
  const feed = image([1, 3, 64, 160]);
  const shared = await statisticsOf(graph, feed);
  const pool = createStatisticsPool();
  const all = createStatisticsPool();
  // Two tiles of 96 columns that share 32; each counts to the middle of those.
  for (const [left, from, to] of [
    [0, 0, 80],
    [64, 16, 96],
  ] as const) {
    const tile = cut(feed, left, 96);
    const core = new Tensor('float32', Float32Array.of(0, from, 64, to), [1, 1, 4]);
    const part = await run(tileGraph(graph), { image: tile, core, ...shared });
    pool.add(floats(part['own_statistics']), to - from);
    const whole = await run(tileGraph(graph), { image: tile, core: coreOf(tile), ...shared });
    all.add(floats(whole['own_statistics']), 96);
  }
  const off = (statistics: Float32Array | null) =>
    apart(new Tensor('float32', statistics ?? [], shared['statistics']?.dims ?? []), shared['statistics']);
  expect(off(pool.result())).toBeLessThan(1e-3);
  expect(off(all.result())).toBeGreaterThan(5e-3);
});

test('a model without InstanceNormalization has no use for the pair', () => {
  const graph = generator({ norm: 'batch' });
  for (const make of [statisticsGraph, tileGraph]) {
    expect(() => make(graph)).toThrow(/expected InstanceNormalization.*leave out the pair/);
  }
});
