/** Orders, stages and recomputation: that they keep less alive, in onnxruntime's own order, and change no bit. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Abs,
  Add,
  Conv,
  type GradientOptions,
  Graph,
  gradients,
  InstanceNormalization,
  Mul,
  orderForDepthFirst,
  prune,
  ReduceMean,
  Relu,
  type Value,
  writeOnnx,
} from '@cyclegan/graph';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { executionOrder, peakBytes } from './execution.ts';
import { randomData, randomNumbers } from './gradient-check.ts';

const image = [1, 4, 12, 12];
const kernel = [4, 4, 3, 3];
const layers = 6;

/** Two images through the same layers, one after the other, and the gradients of both losses' sum by the weights. */
function build(options: GradientOptions = {}, ordered = true): Graph {
  const graph = new Graph('twice');
  const images = ['first', 'second'].map((name) => graph.input(name, 'float32', image));
  const weights = Array.from({ length: layers }, (_, i) => graph.input(`w${i}`, 'float32', kernel));
  const layer = (x: Value, w: Value) => {
    const scale = graph.float([1, 1, 1, 1]);
    const convolved = graph.op(Conv, [x, w], { pads: [1, 1, 1, 1] });
    return graph.op(Relu, [graph.op(InstanceNormalization, [convolved, scale, graph.float([0, 0, 0, 0])])]);
  };
  const [first, second] = images.map((x) => {
    const y = graph.scope(x.name, () =>
      weights.reduce((h, w, i) => graph.scope(`layer${i}`, () => layer(h, w)), x),
    );
    return graph.op(ReduceMean, [graph.op(Mul, [y, graph.op(Abs, [y])])], { keepdims: 0 });
  });
  const loss = graph.op(Add, [first, second]);
  gradients(graph, loss, weights, options).forEach((grad, i) => {
    graph.output(`g${i}`, grad);
  });
  prune(graph);
  if (ordered) orderForDepthFirst(graph);
  return graph;
}

const call: GradientOptions['stages'] = ({ name }) => /^(first|second)(?=\/)/.exec(name)?.[0];
const layer: GradientOptions['recompute'] = ({ name }) => /^(first|second)\/layer\d/.exec(name)?.[0];

const random = randomNumbers(5);
const feeds = Object.fromEntries([
  ...['first', 'second'].map((name) => [name, new Tensor('float32', randomData(image, random), image)]),
  ...Array.from({ length: layers }, (_, i) => [
    `w${i}`,
    new Tensor('float32', randomData(kernel, random), kernel),
  ]),
]);

async function run(graph: Graph, options: InferenceSession.SessionOptions = {}): Promise<number[][]> {
  const session = await InferenceSession.create(writeOnnx(graph), { logSeverityLevel: 3, ...options });
  const results = await session.run(feeds);
  if (options.enableProfiling) session.endProfiling();
  await session.release();
  return graph.outputs.map(({ name }) => Array.from(results[name]?.data as Float32Array));
}

/** The nodes that onnxruntime ran, in its order. */
async function profile(graph: Graph, graphOptimizationLevel: 'disabled' | 'all') {
  const folder = await mkdtemp(join(tmpdir(), 'cyclegan-graph-'));
  try {
    await run(graph, { graphOptimizationLevel, enableProfiling: true, profileFilePrefix: join(folder, 'p') });
    const [file = ''] = await readdir(folder);
    const events: { cat: string; name: string; ts: number; args: { op_name: string } }[] = JSON.parse(
      await readFile(join(folder, file), 'utf8'),
    );
    return events
      .filter(({ cat, name }) => cat === 'Node' && name.endsWith('_kernel_time'))
      .sort((a, b) => a.ts - b.ts)
      .map(({ name, args }) => ({ name: name.replace('_kernel_time', ''), op: args.op_name }));
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe('the order of nodes', () => {
  it.each([false, true])('is run by onnxruntime as modelled here (ordered: %s)', async (ordered) => {
    const graph = build({ stages: call }, ordered);
    const ran = (await profile(graph, 'disabled')).map(({ name }) => name);
    expect(ran).toEqual(executionOrder(graph).map(({ name }) => name));
  });

  it('lets go of activations while the gradients are still on their way', async () => {
    const [plain, ordered] = [build({}, false), build()];
    expect(peakBytes(ordered)).toBeLessThan(0.8 * peakBytes(plain));
    expect(await run(ordered)).toEqual(await run(plain));
  });

  it('is one in which every node comes after those that it reads', () => {
    const made = new Set<Value>();
    for (const { inputs, outputs } of build({ stages: call, recompute: layer }).nodes) {
      const missing = inputs.filter((input) => input && !input.constant && !made.has(input));
      expect(missing.filter((input) => !/^(first|second|w\d)$/.test(input?.name ?? ''))).toEqual([]);
      for (const output of outputs) made.add(output);
    }
  });
});

describe('stages', () => {
  it('are differentiated one after the other, gradients by the weights included', async () => {
    const [together, inTurn] = [build(), build({ stages: call })];
    expect(peakBytes(inTurn)).toBeLessThan(0.8 * peakBytes(together));
    expect(await run(inTurn)).toEqual(await run(together));
  });
});

describe('recomputation', () => {
  const kept = build({ stages: call });
  const again = build({ stages: call, recompute: layer });

  it('keeps what goes into each part alone, and gives the same to the last bit', async () => {
    expect(peakBytes(again)).toBeLessThan(0.75 * peakBytes(kept));
    expect(await run(again)).toEqual(await run(kept));
  });

  it('is not undone by onnxruntime’s optimiser', async () => {
    const convolutions = async (graph: Graph) =>
      (await profile(graph, 'all')).filter(({ op, name }) => /Conv$/.test(op) && /layer|again/.test(name))
        .length;
    expect(await convolutions(kept)).toBe(2 * layers);
    expect(await convolutions(again)).toBe(4 * layers);
  });
});
