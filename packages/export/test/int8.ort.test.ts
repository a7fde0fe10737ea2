/** Eight-bit models in onnxruntime: what is fused, how near the answers are, and which convolutions stay float32. */
import { measure, type QuantizeOptions, quantize } from '@cyclegan/export';
import {
  Add,
  Conv,
  DepthToSpace,
  Graph,
  InstanceNormalization,
  linksOf,
  Pad,
  QuantizeLinear,
  Relu,
  rebuild,
  Transpose,
  tensor,
  type Value,
  writeOnnx,
} from '@cyclegan/graph';
import { beforeAll, describe, expect, test } from 'vitest';
import { countOptimized, kinds, makeGraph, picture, pictures, psnr, run } from './precision-support.ts';

function toInt8(graph: Graph, options: Partial<QuantizeOptions> = {}) {
  return quantize(graph, { calibration: pictures(graph, 4), evaluation: pictures(graph, 2, 10), ...options });
}

const count = (graph: Graph, op: { name: string }) =>
  graph.nodes.filter((node) => node.op.name === op.name).length;

describe.each(Object.entries(kinds))('%s', (_, generator) => {
  const graph = makeGraph(generator);
  let made: Awaited<ReturnType<typeof quantize>>;
  beforeAll(async () => {
    made = await toInt8(graph, { psnrTarget: 25 });
  });

  test('as many convolutions are fused as were chosen', async () => {
    const { convolutions } = made.report;
    const chosen = convolutions.filter(({ precision }) => precision === 'int8');
    expect(chosen.length).toBeGreaterThan(4);
    expect(await countOptimized(made.graph, 'QLinearConv')).toBe(chosen.length);
    expect(convolutions.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 6);
  });

  test('its answers are as near as the report says', async () => {
    const { quality, calibrationImages } = made.report;
    const errors: number[] = [];
    for (const image of pictures(graph, 2, 10)) {
      errors.push(psnr(await run(graph, image), await run(made.graph, image)));
    }
    const [one = 0, other = 0] = errors;
    expect(quality.psnr).toBeCloseTo((one + other) / 2, 2);
    expect(quality.worst).toBeCloseTo(Math.min(one, other), 2);
    expect(quality).toMatchObject({ images: 2 });
    expect(calibrationImages).toBe(4);
    expect(quality.psnr).toBeGreaterThanOrEqual(25);
  });

  test('takes batches and other sizes, as before', async () => {
    const channels = graph.inputs[0]?.shape[1] as number;
    const [a, b] = [picture(channels, 1, 64), picture(channels, 2, 64)];
    const both = { shape: [2, channels, 64, 64], data: Float32Array.of(...a.data, ...b.data) };
    const together = await run(made.graph, both);
    const apart = Float32Array.of(...(await run(made.graph, a)), ...(await run(made.graph, b)));
    expect(psnr(together, apart)).toBeGreaterThan(60);
    expect(psnr(together, await run(graph, both))).toBeGreaterThan(20);
  });
});

describe('a graph in eight bits', () => {
  const graph = makeGraph({}, 32);

  test('is a quarter of the file, and bytes are what is padded and reordered', async () => {
    const { graph: made } = await toInt8(graph, { psnrTarget: 20 });
    expect(writeOnnx(made).length / writeOnnx(graph).length).toBeLessThan(0.3);
    const typesOf = (op: { name: string }) =>
      made.nodes.filter((node) => node.op.name === op.name).map(({ inputs }) => inputs[0]?.dtype);
    // The last Pad leads to the narrow convolution, which stays as it is.
    expect(typesOf(Pad)).toEqual([...new Array(count(graph, Pad) - 1).fill('uint8'), 'float32']);
    expect(typesOf(DepthToSpace)).toEqual(['uint8', 'uint8']);
    expect(new Set(typesOf(InstanceNormalization))).toEqual(new Set(['float32']));
  });

  test('has Relus that onnxruntime lets go', async () => {
    const { graph: made } = await toInt8(graph, { psnrTarget: 20 });
    const links = linksOf(made);
    // What else reads a Relu's output keeps it.
    const before = made.nodes.filter(({ op, inputs: [x] }) => {
      return op === QuantizeLinear && x && links.producer(x)?.op === Relu && links.onlyReader(x);
    });
    expect(before.length).toBeGreaterThan(3);
    expect(before.map(({ inputs }) => inputs[2]?.constant?.data[0])).toEqual(before.map(() => 0));
    expect(await countOptimized(made, 'Relu')).toBe(count(made, Relu) - before.length);
  });

  test('leaves alone what is read beside a convolution', async () => {
    const beside = new Graph('beside');
    const image = beside.input('image', 'float32', [1, 16, 32, 32]);
    const weight = tensor('float32', [16, 16, 1, 1], new Float32Array(256).fill(0.1));
    const one = beside.op(Conv, [image, beside.constant(weight)]);
    const turn = (value: Value) => beside.op(Transpose, [value], { perm: [0, 1, 3, 2] });
    // The convolution's own bytes are turned, the image's floats stay floats.
    beside.output('result', beside.op(Add, [turn(one), turn(image)]));
    const { nodes } = (await toInt8(beside, { psnrTarget: 0 })).graph;
    expect(nodes.flatMap(({ op, inputs }) => (op === Transpose ? [inputs[0]?.dtype] : []))).toEqual([
      'uint8',
      'float32',
    ]);
  });

  test('has weights within seven bits where that is asked for', async () => {
    const largest = (made: Graph) =>
      Math.max(
        ...made.nodes.flatMap(({ inputs }) => {
          const data = inputs[0]?.constant?.data;
          return data instanceof Int8Array
            ? [data.reduce((most, value) => Math.max(most, Math.abs(value)), 0)]
            : [];
        }),
      );
    expect(largest((await toInt8(graph, { psnrTarget: 0 })).graph)).toBe(127);
    expect(largest((await toInt8(graph, { psnrTarget: 0, reduceRange: true })).graph)).toBe(63);
  });
});

describe('the choice', () => {
  const graph = makeGraph({}, 16);

  test('is all that gains where the target is low, and says what does not', async () => {
    const { report } = await toInt8(graph, { psnrTarget: 0 });
    expect(report.convolutions.filter(({ reason }) => reason === 'sensitive')).toEqual([]);
    for (const { weights, precision, reason, psnr } of report.convolutions) {
      const narrow = (weights[0] ?? 0) < 16;
      expect({ precision, reason }).toEqual(
        narrow ? { precision: 'fp32', reason: 'narrow' } : { precision: 'int8', reason: null },
      );
      expect(psnr === null).toBe(narrow);
    }
  });

  test('leaves those in float32 that harm most, and no more of them than the target wants', async () => {
    const all = await toInt8(graph, { psnrTarget: 0 });
    const psnrTarget = all.report.quality.psnr + 2;
    const { graph: made, report } = await toInt8(graph, { psnrTarget });
    expect(report.quality.psnr).toBeGreaterThanOrEqual(psnrTarget);
    const taken = report.convolutions.filter(({ reason }) => reason === 'sensitive');
    const kept = report.convolutions.filter(({ precision }) => precision === 'int8');
    expect(taken.length).toBeGreaterThan(0);
    expect(kept.length).toBeGreaterThan(0);
    const harm = ({ psnr, share }: (typeof kept)[0]) => 10 ** (-(psnr ?? 0) / 10) / share;
    expect(Math.min(...taken.map(harm))).toBeGreaterThanOrEqual(Math.max(...kept.map(harm)));
    expect(await countOptimized(made, 'QLinearConv')).toBe(kept.length);
  });

  test('is nothing where the target cannot be had: the very graph', async () => {
    const { graph: made, report } = await toInt8(graph, { psnrTarget: 149 });
    expect(made).toBe(graph);
    expect(report.quality).toEqual({ psnr: 150, worst: 150, maxError: 0, images: 2 });
    expect(report.convolutions.filter(({ precision }) => precision === 'int8')).toEqual([]);
  });

  test('leaves transposed convolutions as they were where they stay float32', async () => {
    const unet = makeGraph({ kind: 'unet', downs: 5 });
    const { graph: made, report } = await toInt8(unet, { psnrTarget: 20 });
    const narrow = report.convolutions.filter(({ reason }) => reason === 'narrow');
    expect(narrow.map(({ weights }) => weights[0])).toEqual([12]);
    expect(made.nodes.filter(({ op }) => op.name === 'ConvTranspose')).toHaveLength(1);
  });
});

describe('ranges', () => {
  test('leave rare values out with percentile and entropy, and take all in with minmax', async () => {
    const graph = new Graph('spike');
    const image = graph.input('image', 'float32', [1, 1, 32, 32]);
    const weight = tensor('float32', [16, 1, 1, 1], new Float32Array(16).fill(1));
    graph.output('result', graph.op(Conv, [image, graph.constant(weight, 'weight')]));
    const calibration = [picture(1, 1)];
    calibration[0]?.data.set([40, -60], 500);
    const scaleOf = async (options: Partial<QuantizeOptions>) => {
      const { graph: made } = await quantize(graph, {
        calibration,
        evaluation: [picture(1, 2)],
        psnrTarget: 0,
        ...options,
      });
      const node = made.nodes.find(({ op }) => op === QuantizeLinear);
      const [, scale, zero] = node?.inputs.map((value) => value?.constant?.data[0]) ?? [];
      return [Number(scale), Number(zero)] as const;
    };
    const [scale, zero] = await scaleOf({ method: 'minmax' });
    expect(scale).toBeCloseTo(100 / 255, 5);
    expect(zero).toBe(Math.round(60 / (100 / 255)));
    for (const options of [{ method: 'percentile', percentile: 99 }, { method: 'entropy' }] as const) {
      const [narrower] = await scaleOf(options);
      expect(narrower).toBeLessThan(10 / 255);
      expect(narrower).toBeGreaterThan(1 / 255);
    }
    expect(await scaleOf({ method: 'percentile', percentile: 100 })).toEqual([
      expect.closeTo(scale, 5),
      zero,
    ]);
  });

  test('take images one by one, whatever gives them', async () => {
    const graph = makeGraph({}, 16);
    const given = pictures(graph, 3);
    const seen: string[] = [];
    async function* oneByOne() {
      for (const [i, image] of given.entries()) {
        seen.push(`image ${i + 1}`);
        yield image;
      }
    }
    const onProgress = ({ what }: { what: string }) =>
      void (what.startsWith('calibration') && seen.push(what));
    const streamed = await toInt8(graph, { calibration: oneByOne(), psnrTarget: 0, onProgress });
    expect(seen).toEqual([1, 2, 3].flatMap((i) => [`image ${i}`, `calibration, image ${i}`]));
    const listed = await toInt8(graph, { calibration: given, psnrTarget: 0 });
    expect(Buffer.compare(writeOnnx(streamed.graph), writeOnnx(listed.graph)), 'reproducible').toBe(0);
  });
});

describe('weights', () => {
  test('of zeros, of huge biases and of tiny numbers come through', async () => {
    const graph = new Graph('extreme');
    const image = graph.input('image', 'float32', [1, 1, 32, 32]);
    const weights = Float32Array.from({ length: 16 }, (_, i) =>
      i === 0 ? 0 : i === 1 ? 1e-12 : i === 2 ? 1e4 : 0.5,
    );
    const bias = Float32Array.from({ length: 16 }, (_, i) => (i < 2 ? 3 : i === 3 ? -2 : 0.25));
    const parameters = [tensor('float32', [16, 1, 1, 1], weights), tensor('float32', [16], bias)];
    const [w, b] = parameters.map((each) => graph.constant(each));
    const wide = graph.op(Conv, [image, w, b]);
    graph.output(
      'result',
      graph.op(InstanceNormalization, [wide, graph.float(new Array(16).fill(1)), graph.float([...bias])]),
    );
    const { graph: made } = await toInt8(graph, { psnrTarget: 0, method: 'minmax' });
    const integers = made.nodes.map(({ inputs }) => inputs[0]?.constant);
    const int8 = integers.find((each) => each?.dtype === 'int8')?.data;
    expect([...(int8 ?? [])].map(Number).slice(0, 4)).toEqual([0, 0, 127, 127]);
    const scales = made.nodes.find(({ inputs }) => inputs[0]?.constant?.dtype === 'int32')?.inputs[1]
      ?.constant?.data;
    const biases = integers.find((each) => each?.dtype === 'int32')?.data;
    expect(Number(biases?.[0]) * Number(scales?.[0])).toBeCloseTo(3, 4);
    expect(Number(biases?.[1]) * Number(scales?.[1])).toBeCloseTo(3, 4);
    expect(Number(biases?.[3]) * Number(scales?.[3])).toBeCloseTo(-2, 2);
    expect((await run(made, picture(1, 1))).every(Number.isFinite)).toBe(true);
  });
});

describe('measure', () => {
  test('gives the distance and a ratio of times', async () => {
    const graph = makeGraph({}, 16);
    const { graph: made } = await toInt8(graph, { psnrTarget: 0 });
    const images = pictures(graph, 2, 20);
    const [fp32, candidate] = [writeOnnx(graph), writeOnnx(made)];
    const measured = await measure({ fp32, candidate, images, rounds: 3 });
    const each: number[] = [];
    for (const image of images) each.push(psnr(await run(fp32, image), await run(candidate, image)));
    expect(measured.psnr).toBeCloseTo(each.reduce((sum, value) => sum + value) / 2, 2);
    expect(measured.worst).toBeCloseTo(Math.min(...each), 2);
    expect(measured.maxError).toBeGreaterThan(0);
    expect(measured.speed).toBeGreaterThan(0);
    expect(await measure({ fp32, candidate: fp32, images, rounds: 1 })).toMatchObject({
      psnr: 150,
      maxError: 0,
    });
    await expect(measure({ fp32, candidate, images: [] })).rejects.toMatchObject({ code: 'input' });
  });
});

describe('refusals', () => {
  const graph = makeGraph({}, 4);

  test('a model that gives no numbers', async () => {
    const broken = new Graph('broken');
    const image = broken.input('image', 'float32', [1, 3, 32, 32]);
    const weight = tensor('float32', [16, 3, 1, 1], new Float32Array(48).fill(3e38));
    broken.output('result', broken.op(Conv, [image, broken.constant(weight)]));
    for (const method of ['minmax', 'percentile'] as const) {
      await expect(toInt8(broken, { method })).rejects.toMatchObject({ code: 'bundle' });
    }
  });

  test.each<[string, Partial<QuantizeOptions>, string, RegExp]>([
    ['no images', { calibration: [] }, 'input', /calibration: expected images, got none/],
    ['nothing to measure on', { evaluation: [] }, 'input', /evaluation: expected images/],
    ['a percentile of a half', { percentile: 50 }, 'usage', /percentile: expected above 50/],
    ['a target of NaN', { psnrTarget: Number.NaN }, 'usage', /PSNR target: expected 0 to 150/],
    [
      'grey images',
      { calibration: [picture(1, 1)] },
      'input',
      /expected images of \[N, 3, H, W\], got \[1, 1, 32, 32\]/,
    ],
  ])('%s', async (_, options, code, message) => {
    await expect(toInt8(graph, options)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  test('a model with two outputs', async () => {
    const two = rebuild(graph);
    const [first] = two.nodes;
    if (!first?.outputs[0]) throw new Error('expected a node');
    two.output('second', first.outputs[0]);
    await expect(toInt8(two)).rejects.toMatchObject({ code: 'bundle' });
  });

  test('a request to stop', async () => {
    const stop = new AbortController();
    const onProgress = ({ what }: { what: string }) => void (what.startsWith('sensitivity') && stop.abort());
    await expect(toInt8(makeGraph({}, 16), { signal: stop.signal, onProgress })).rejects.toMatchObject({
      code: 'aborted',
    });
  });
});
