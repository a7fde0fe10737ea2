/** The step's three graphs beside each other, and what options leave out of them; numbers of PyTorch's are in test/parity. */
import { type Graph, type Value, writeOnnx } from '@cyclegan/graph';
import { objectiveGraph, type StepConfig, sampleGraph, stepGraph } from '@cyclegan/train';
import { InferenceSession, type Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { feedsOf, noisyStep, tinyStep } from './step-support.ts';

async function run(graph: Graph, config: StepConfig, changed: Record<string, Tensor> = {}) {
  const session = await InferenceSession.create(writeOnnx(graph), { logSeverityLevel: 3 });
  const results = await session.run({ ...feedsOf(graph, config), ...changed });
  await session.release();
  return Object.fromEntries(
    Object.entries(results).map(([name, { data }]) => [name, Array.from(data as Float32Array)]),
  );
}

const names = (values: readonly { name: string }[]) => values.map(({ name }) => name);
const count = (graph: Graph, op: string) => graph.nodes.filter((node) => node.op.name === op).length;

describe.each([
  ['usual options', tinyStep],
  ['batch normalisation, dropout and a gradient penalty', noisyStep],
])('the objective alone, with %s', (_, config) => {
  it('gives the losses, translations and running statistics of the whole step', async () => {
    const step = await run(stepGraph(config), config);
    const alone = await run(objectiveGraph(config), config);
    const shared = Object.keys(alone).filter((name) => name in step);
    expect(shared).toEqual(expect.arrayContaining(['losses', 'fake_A', 'fake_B']));
    for (const name of shared) {
      const scale = Math.max(...(step[name] ?? []).map(Math.abs));
      const worst = Math.max(
        ...(alone[name] ?? []).map((value, i) => Math.abs(value - (step[name]?.[i] ?? 0))),
      );
      expect(worst, name).toBeLessThan(1e-5 * scale);
    }
    const [dA = 0, gA = 0, cycleA = 0, idtA = 0, dB = 0, gB = 0, cycleB = 0, idtB = 0] =
      alone['losses'] ?? [];
    expect(alone['total_G']?.[0]).toBeCloseTo(gA + cycleA + idtA + gB + cycleB + idtB, 4);
    expect(alone['total_D']?.[0]).toBeCloseTo(dA + dB, 4);
  });

  it('takes the inputs of the step but for the optimisers’', () => {
    const optimisers = ['step_size', 'epsilon_hat', 'G.m', 'G.v', 'D.m', 'D.v'];
    expect(names(objectiveGraph(config).inputs)).toEqual(
      names(stepGraph(config).inputs).filter((name) => !optimisers.includes(name)),
    );
  });

  it('ties the discriminators’ total to the generators through what is shown alone', () => {
    const graph = objectiveGraph(config);
    const output = (name: string) => graph.outputs.find((each) => each.name === name)?.value as Value;
    const cut = new Set([output('shown_A'), output('shown_B')]);
    const reached = new Set<Value>([output('total_D')]);
    for (const node of graph.nodes.toReversed()) {
      if (!node.outputs.some((value) => reached.has(value) && !cut.has(value))) continue;
      for (const input of node.inputs) if (input) reached.add(input);
    }
    expect([...reached].some(({ name }) => name === 'D.parameters')).toBe(true);
    expect([...cut].every((value) => reached.has(value))).toBe(true);
    expect([...reached].filter(({ name, constant }) => !constant && /^G[._]/.test(name))).toEqual([]);
  });
});

describe('a weight of zero', () => {
  const { objective } = tinyStep;
  const tanhs = (changed: Partial<StepConfig['objective']>) =>
    count(objectiveGraph({ ...tinyStep, objective: { ...objective, ...changed } }), 'Tanh');
  const leaky = (changed: Partial<StepConfig['objective']>) =>
    count(objectiveGraph({ ...tinyStep, objective: { ...objective, ...changed } }), 'LeakyRelu');

  it('leaves out the generators’ passes that nothing else needs', () => {
    expect(tanhs({})).toBe(6);
    expect(tanhs({ lambdaIdentity: 0 })).toBe(4);
    expect(tanhs({ lambdaA: 0 })).toBe(4);
    expect(tanhs({ lambdaB: 0 })).toBe(4);
    expect(tanhs({ lambdaA: 0, lambdaB: 0 })).toBe(2);
  });

  it('leaves out the discriminators’ passes for the generators, and not those for themselves', () => {
    const each = leaky({}) / 6;
    expect(leaky({ lambdaGanA: 0 })).toBe(5 * each);
    expect(leaky({ lambdaGanA: 0, lambdaGanB: 0 })).toBe(4 * each);
    expect(leaky({ gan: 'wgangp' })).toBe(8 * each);
    expect(leaky({ gan: 'wgangp', lambdaGp: 0 })).toBe(6 * each);
  });

  it('for all terms leaves the generators as they are', async () => {
    const none = { lambdaGanA: 0, lambdaGanB: 0, lambdaA: 0, lambdaB: 0 };
    const config = { ...tinyStep, objective: { ...objective, ...none } };
    const graph = stepGraph(config);
    const results = await run(graph, config);
    expect(results['next.G.parameters']).toEqual(
      Array.from(feedsOf(graph, config)['G.parameters']?.data as Float32Array),
    );
    expect(results['losses']?.map((loss) => loss === 0)).toEqual([
      false,
      true,
      true,
      true,
      false,
      true,
      true,
      true,
    ]);
  });
});

describe('recomputation', () => {
  it.each([
    ['usual options', { ...tinyStep, networks: { ...tinyStep.networks } }],
    ['batch normalisation, dropout and a gradient penalty', noisyStep],
  ])('runs the residual blocks’ convolutions once more and changes no bit, with %s', async (_, config) => {
    const [kept, again] = [stepGraph(config), stepGraph({ ...config, recompute: true })];
    const blocks = config.networks.generator.kind === 'resnet' ? config.networks.generator.blocks : 0;
    expect(count(again, 'Conv') - count(kept, 'Conv')).toBe(6 * blocks * 2);
    expect(await run(again, config)).toEqual(await run(kept, config));
  });
});

describe('samples', () => {
  it('are made with running statistics and without dropout', async () => {
    const graph = sampleGraph(noisyStep);
    expect(names(graph.inputs)).toEqual(['real_A', 'real_B', 'G.parameters', 'G.buffers']);
    expect(names(graph.outputs)).toEqual(['fake_B', 'rec_A', 'fake_A', 'rec_B']);
    const feeds = feedsOf(graph, noisyStep);
    const buffers = feeds['G.buffers'] as Tensor;
    const first = await run(graph, noisyStep);
    const doubled = (buffers.data as Float32Array).map((value) => 2 * value);
    const Kind = buffers.constructor as typeof Tensor;
    const second = await run(graph, noisyStep, { 'G.buffers': new Kind('float32', doubled, buffers.dims) });
    expect(second['fake_B']).not.toEqual(first['fake_B']);
  });

  it('are the translations of the step where both compute alike', async () => {
    const step = await run(stepGraph(tinyStep), tinyStep);
    const sample = await run(sampleGraph(tinyStep), tinyStep);
    for (const name of ['fake_A', 'fake_B']) {
      const off = (sample[name] ?? []).map((value, i) => Math.abs(value - (step[name]?.[i] ?? 0)));
      expect(Math.max(...off), name).toBeLessThan(1e-5);
    }
  });
});
