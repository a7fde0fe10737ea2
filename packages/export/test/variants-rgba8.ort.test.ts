/** toRgba8: a canvas's bytes in and out, equal to the byte to what the runtimes make of the same pixels. */
import { toRgba8 } from '@cyclegan/export';
import { Add, Graph, Mul, symbolicDim, Tanh, tensor } from '@cyclegan/graph';
import { type Pixels, sessionOf, toByte, toPlanes, translatePixels } from '@cyclegan/runtime-core';
import { Tensor } from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { floats, generator, image, run, seededRandom } from './variants-support.ts';

/** RGBA with every alpha, fully transparent and opaque ones the most. */
function canvas(width: number, height: number, seed = 1): Pixels & { channels: 4 } {
  const random = seededRandom(seed);
  const alphas = [0, 255, 128];
  const data = new Uint8Array(4 * width * height).map((_, i) => {
    const byte = Math.floor(256 * random());
    return i % 4 === 3 ? (alphas[byte % 5] ?? byte) : byte;
  });
  return { width, height, channels: 4, data };
}

const bytes = ({ data, width, height }: Pixels) =>
  new Tensor('uint8', Uint8Array.from(data), [1, height, width, 4]);

const free = (channels: number) => [symbolicDim('N'), channels, symbolicDim('H'), symbolicDim('W')];

test.each([
  ['colour to colour', 3, 3],
  ['grey to colour', 1, 3],
  ['colour to grey', 3, 1],
  ['grey to grey', 1, 1],
] as const)('%s: the translator’s own bytes', async (_, inputChannels, outputChannels) => {
  const graph = generator({ inputChannels, outputChannels });
  const rgba8 = toRgba8(graph);
  for (const [width, height] of [
    [40, 28],
    [12, 52],
  ] as const) {
    const pixels = canvas(width, height, width);
    // The translator fills colours that are barely seen from their neighbours; the graph takes them as they are.
    pixels.data = pixels.data.map((byte, i) => (i % 4 === 3 ? Math.max(32, byte) : byte));
    const expected = await translatePixels({
      pixels,
      tile: 'none',
      model: {
        sizeMultiple: 4,
        minSize: 8,
        input: { channels: inputChannels },
        output: { channels: outputChannels },
      },
      session: sessionOf(async (planes) => {
        const feed = new Tensor('float32', planes.data, [1, planes.channels, planes.height, planes.width]);
        const { translation } = await run(graph, { image: feed });
        return { ...planes, channels: outputChannels, data: floats(translation) };
      }),
    });
    const { translation } = await run(rgba8, { image: bytes(pixels) });
    expect(translation?.dims).toEqual([1, height, width, 4]);
    expect(translation?.data).toEqual(expected.pixels.data);
  }
});

test('every byte becomes the runtimes’ float, and every colour their grey', async () => {
  const graph = (channels: 1 | 3) => {
    const made = new Graph('planes');
    const value = made.input('image', 'float32', free(channels));
    made.output('translation', made.op(Tanh, [value]));
    made.output('planes', value);
    return toRgba8(made);
  };
  const pixels = canvas(96, 96);
  pixels.data.set(Uint8Array.from({ length: 1024 }, (_, i) => i / 4));
  for (const channels of [1, 3] as const) {
    const { planes } = await run(graph(channels), { image: bytes(pixels) });
    expect(floats(planes)).toEqual(toPlanes(pixels, channels).data);
  }
});

test('every float becomes the runtimes’ byte: ties, their neighbours, what is beyond the range', async () => {
  const random = seededRandom(3);
  const ties = Array.from({ length: 257 }, (_, k) => (k - 0.5) / 127.5 - 1).flatMap((tie) => {
    const at = Float32Array.of(tie);
    const bits = new Int32Array(at.buffer);
    return [-1, 0, 1].map((step) => {
      const near = Int32Array.of((bits[0] ?? 0) + step);
      return new Float32Array(near.buffer)[0] ?? 0;
    });
  });
  const odd = [0, -0, 1e-20, -1e-20, -1e-8, 1, -1, 1.5, -1.5, 1e30, -1e30, Infinity, -Infinity];
  const values = Float32Array.from([
    ...ties,
    ...odd,
    ...Array.from({ length: 96 * 96 * 3 - ties.length - odd.length }, () => 2.2 * random() - 1.1),
  ]);
  const made = new Graph('given');
  const value = made.input('image', 'float32', [1, 3, 96, 96]);
  const given = made.constant(tensor('float32', [1, 3, 96, 96], values));
  made.output('translation', made.op(Add, [made.op(Mul, [value, made.float(0)]), given]));

  const pixels = canvas(96, 96);
  const { translation } = await run(toRgba8(made), { image: bytes(pixels) });
  const area = 96 * 96;
  const expected = Uint8Array.from({ length: 4 * area }, (_, i) =>
    i % 4 === 3 ? (pixels.data[i] ?? 0) : toByte(values[(i % 4) * area + Math.floor(i / 4)] ?? Number.NaN),
  );
  expect(translation?.data).toEqual(expected);
});

test('a batch is its images, and alpha has no part in the colours', async () => {
  const graph = toRgba8(generator());
  const [one, other] = [canvas(16, 12, 1), canvas(16, 12, 2)];
  const opaque = other.data.map((byte, i) => (i % 4 === 3 ? 255 : byte));
  const together = new Tensor('uint8', Uint8Array.from([...one.data, ...opaque]), [2, 12, 16, 4]);
  const { translation } = await run(graph, { image: together });
  const single = async (pixels: Pixels) => {
    const { data } = (await run(graph, { image: bytes(pixels) }))['translation'] ?? {};
    return data instanceof Uint8Array ? [...data] : [];
  };
  const expected = (await single(other)).map((byte, i) => (i % 4 === 3 ? 255 : byte));
  expect(translation?.data).toEqual(Uint8Array.from([...(await single(one)), ...expected]));
});

test('changes nothing of the graph that it is given', async () => {
  const graph = generator();
  const before = await run(graph, { image: image([1, 3, 8, 8]) });
  toRgba8(graph);
  expect(await run(graph, { image: image([1, 3, 8, 8]) })).toEqual(before);
});
