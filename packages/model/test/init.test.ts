/** How weights begin: the four kinds as PyTorch's torch.nn.init has them, biases, batch norm, and the seed. */
import {
  generatorNetwork,
  generatorSchema,
  type InitConfig,
  initialWeights,
  initSchema,
  type Parameter,
  parameterCount,
} from '@cyclegan/model';
import { describe, expect, it } from 'vitest';

const { parameters } = generatorNetwork(
  generatorSchema.parse({ kind: 'resnet', blocks: 3, ngf: 16, inputChannels: 3, outputChannels: 3 }),
);

function pieces(values: Float32Array, of: readonly Parameter[]) {
  let at = 0;
  return of.map((parameter) => {
    const size = parameterCount([parameter]);
    at += size;
    return { ...parameter, values: values.subarray(at - size, at) };
  });
}

/** Five standard errors each; 4.55 % of a normal distribution lie outside two deviations. */
function expectNormal(values: Float32Array, mean: number, deviation: number, name: string): void {
  const n = values.length;
  const average = values.reduce((sum, value) => sum + value, 0) / n;
  const spread = Math.sqrt(values.reduce((sum, value) => sum + (value - average) ** 2, 0) / n);
  const outside = values.filter((value) => Math.abs(value - mean) > 2 * deviation).length / n;
  expect(Math.abs(average - mean), name).toBeLessThan((5 * deviation) / Math.sqrt(n));
  expect(Math.abs(spread / deviation - 1), name).toBeLessThan(5 / Math.sqrt(2 * n));
  expect(Math.abs(outside - 0.0455), name).toBeLessThan(5 * Math.sqrt((0.0455 * 0.9545) / n));
}

/** What torch.nn.init gives; for [a, b, kh, kw] fan-in is b·kh·kw and fan-out a·kh·kw, transposed or not. */
const deviations: Record<string, (gain: number, a: number, b: number, area: number) => number> = {
  normal: (gain) => gain,
  xavier: (gain, a, b, area) => gain * Math.sqrt(2 / ((a + b) * area)),
  kaiming: (_, __, b, area) => Math.sqrt(2 / (b * area)),
};

describe.each([
  ['normal', 0.02],
  ['normal', 0.05],
  ['xavier', 0.02],
  ['xavier', 1],
  ['kaiming', 0.02],
] as const)('%s with a gain of %f', (type, gain) => {
  it('gives every weight its deviation, and biases zero', () => {
    const flat = initialWeights(parameters, 7, { type, gain });
    expect(flat).toHaveLength(parameterCount(parameters));
    for (const { name, role, shape, values } of pieces(flat, parameters)) {
      if (role === 'bias') expect(new Set(values), name).toEqual(new Set([0]));
      else {
        const [a = 0, b = 0, height = 0, width = 0] = shape;
        expectNormal(values, 0, deviations[type]?.(gain, a, b, height * width) ?? Number.NaN, name);
      }
    }
  });
});

describe('orthogonal', () => {
  const shapes = [
    [6, 3, 4, 4],
    [40, 2, 3, 3],
    [16, 4, 2, 2],
    [1, 5, 1, 1],
  ];
  const all = shapes.map((shape, i): Parameter => ({ name: `${i}`, shape, role: 'weight' }));
  const flat = initialWeights(all, 3, { type: 'orthogonal', gain: 0.5 });

  it.each(pieces(flat, all))(
    'makes the shorter side of $shape orthogonal, of the gain’s length',
    ({ shape, values }) => {
      const rows = shape[0] ?? 0;
      const columns = values.length / rows;
      const at = (line: number, i: number) =>
        (rows <= columns ? values[line * columns + i] : values[i * columns + line]) ?? Number.NaN;
      for (let one = 0; one < Math.min(rows, columns); one++) {
        for (let other = 0; other <= one; other++) {
          let dot = 0;
          for (let i = 0; i < Math.max(rows, columns); i++) dot += at(one, i) * at(other, i);
          expect(dot).toBeCloseTo(one === other ? 0.25 : 0, 6);
        }
      }
    },
  );

  it('has no preferred sign', () => {
    const single: Parameter = { name: 'x', shape: [1, 1, 1, 1], role: 'weight' };
    const signs = initialWeights(new Array(40).fill(single), 1, { type: 'orthogonal', gain: 1 });
    expect(new Set(signs)).toEqual(new Set([-1, 1]));
  });
});

describe('batch norm', () => {
  const network = generatorNetwork(
    generatorSchema.parse({
      kind: 'resnet',
      blocks: 1,
      ngf: 256,
      norm: 'batch',
      inputChannels: 1,
      outputChannels: 1,
    }),
  );

  it('begins with N(1, gain), zero biases, means of 0 and variances of 1', () => {
    const own = network.parameters.filter(({ role, shape }) => role === 'scale' || shape.length === 1);
    for (const { name, role, values } of pieces(
      initialWeights(own, 5, { type: 'kaiming', gain: 0.1 }),
      own,
    )) {
      if (role === 'scale') expectNormal(values, 1, 0.1, name);
      else expect(new Set(values), name).toEqual(new Set([0]));
    }
    for (const { role, values } of pieces(initialWeights(network.buffers, 5), network.buffers)) {
      expect(new Set(values)).toEqual(new Set([role === 'variance' ? 1 : 0]));
    }
  });
});

describe('initial weights', () => {
  const flat = initialWeights(parameters, 7);

  it('are a function of the seed', () => {
    expect(Buffer.from(initialWeights(parameters, 7).buffer).equals(Buffer.from(flat.buffer))).toBe(true);
    const other = initialWeights(parameters, 8);
    const equal = flat.filter((value, i) => value !== 0 && value === other[i]).length;
    expect(equal).toBeLessThan(flat.length / 1000);
  });

  it('are those that earlier versions gave, where nothing else is asked for', () => {
    const asked: InitConfig = initSchema.parse({});
    for (const values of [flat, initialWeights(parameters, 7, asked)]) {
      expect([...values.subarray(0, 3)].map((value) => value.toFixed(6))).toEqual([
        '0.043146',
        '0.026918',
        '-0.008567',
      ]);
    }
  });
});
