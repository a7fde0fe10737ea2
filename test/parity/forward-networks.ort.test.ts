/**
 * Every kind of network against PyTorch: its keys, its answer, and what an application in training gives, with the
 * masks and batches that PyTorch had: outputs, gradients, running statistics after one application and after two.
 */
import { generatorGraph } from '@cyclegan/export';
import { Graph, gradients, Mul, ReduceMean, type Value, writeOnnx } from '@cyclegan/graph';
import {
  discriminatorNetwork,
  discriminatorSchema,
  type Tensor as FloatTensor,
  generatorNetwork,
  generatorSchema,
  type Network,
  readSafetensors,
  type StoredTensor,
} from '@cyclegan/model';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';

const { tensors, metadata } = await readSafetensors(
  new URL('../goldens/networks.safetensors', import.meta.url).pathname,
);

/** All tensors whose names begin with this, by the rest of their names. */
function under(prefix: string): Map<string, StoredTensor> {
  const all = [...tensors].filter(([name]) => name.startsWith(prefix));
  return new Map(all.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
}

function networkOf(config: unknown, channels: number): Network {
  const generator = generatorSchema.safeParse(config);
  return generator.success
    ? generatorNetwork(generator.data)
    : discriminatorNetwork(discriminatorSchema.parse(config), channels === 1 ? 1 : 3);
}

/** A golden as it is fed: images as the networks see them, masks as they are. */
function feed(name: string, { shape, data }: StoredTensor): Tensor {
  if (name.startsWith('mask')) return new Tensor('bool', Uint8Array.from(data as Uint8Array), [...shape]);
  const pixels = Float32Array.from(data as Uint8Array, (value) => Math.fround(value / 127.5) - 1);
  return new Tensor('float32', pixels, [...shape]);
}

/** Runs a graph on the goldens that have its inputs' names. */
async function run(graph: Graph, goldens: Map<string, StoredTensor>): Promise<InferenceSession.ReturnType> {
  const session = await InferenceSession.create(writeOnnx(graph), { logSeverityLevel: 3 });
  const feeds = session.inputNames.map((name) => {
    const golden = goldens.get(name) ?? expect.unreachable(`no golden ${name}`);
    return [name, feed(name, golden)] as const;
  });
  const results = await session.run(Object.fromEntries(feeds));
  await session.release();
  return results;
}

function expectGolden(got: Tensor | undefined, golden: StoredTensor | undefined, name: string): void {
  expect(got?.dims, name).toEqual([...(golden?.shape ?? [])]);
  const [values, wanted] = [got?.data as Float32Array, golden?.data as Float32Array];
  const scale = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const worst = values.reduce((most, value, i) => Math.max(most, Math.abs(value - (wanted[i] ?? NaN))), 0);
  // What has no effect (a bias before instance norm) is zero here and rounding there.
  expect(worst, name).toBeLessThanOrEqual(1e-4 * scale + 1e-9);
}

const cases = Object.entries(metadata).map(([name, config]) => ({ name, config: JSON.parse(config) }));

describe.each(cases)('$name', ({ name, config }) => {
  const goldens = under(`${name}.`);
  const weights = under(`${name}.weights.`);
  const shape = goldens.get('input.1')?.shape ?? [];
  const network = networkOf(config, shape[1] ?? 0);
  const constants = (graph: Graph) => {
    const values = new Map(
      [...weights].map(([key, { shape, data }]) => {
        return [key, graph.constant({ dtype: 'float32', shape, data: data as Float32Array }, key)];
      }),
    );
    return (key: string): Value => values.get(key) ?? expect.unreachable(`no ${key}`);
  };

  it('has PyTorch’s keys and shapes', () => {
    const own = [...network.parameters, ...network.buffers].map(({ name, shape }) => `${name} ${shape}`);
    expect(own.sort()).toEqual([...weights].map(([key, { shape }]) => `${key} ${shape}`).sort());
  });

  it('answers as PyTorch', async () => {
    const graph = new Graph('eval');
    const x = graph.input('input.1', 'float32', shape);
    graph.output('eval', network.apply(graph, x, constants(graph)));
    expectGolden((await run(graph, goldens))['eval'], goldens.get('eval'), 'eval');
  });

  const generator = generatorSchema.safeParse(config);
  if (generator.success)
    it('answers as PyTorch when it is exported', async () => {
      const own = new Map([...weights].map(([key, tensor]) => [`G_A.${key}`, tensor as FloatTensor]));
      const graph = generatorGraph({ config: generator.data, weights: own, direction: 'AtoB' });
      const image = goldens.get('input.1') ?? expect.unreachable('no input');
      const { translation } = await run(graph, new Map([['image', image]]));
      expectGolden(translation, goldens.get('eval'), 'eval');
    });

  if (!goldens.has('train.1')) return;
  it('trains as PyTorch', async () => {
    const graph = new Graph('train');
    const found = constants(graph);
    const buffers = new Map(network.buffers.map(({ name }) => [name, found(name)]));
    let masks = 0;
    const mode = {
      dropoutMask: (size: readonly number[]) => graph.input(`mask.${masks++}`, 'bool', size),
      setBuffer: (key: string, value: Value) => void buffers.set(key, value),
    };
    for (const turn of [1, 2]) {
      const x = graph.input(`input.${turn}`, 'float32', shape);
      const output = network.apply(graph, x, (key) => buffers.get(key) ?? found(key), mode);
      graph.output(`train.${turn}`, output);
      for (const [key, value] of buffers) graph.output(`after.${turn}.${key}`, value);
      if (turn === 2) break;
      const loss = graph.op(ReduceMean, [graph.op(Mul, [output, output])], { keepdims: 0 });
      const names = network.parameters.map(({ name }) => name);
      gradients(graph, loss, names.map(found)).forEach((gradient, i) => {
        graph.output(`grad.${names[i]}`, gradient);
      });
    }
    const expected = [...goldens].filter(([key]) => /^(train|after|grad)\./.test(key));
    expect(graph.outputs.map(({ name }) => name).sort()).toEqual(expected.map(([key]) => key).sort());
    const results = await run(graph, goldens);
    for (const [key, golden] of expected) expectGolden(results[key], golden, key);
  });
});
