/** Graphs inside graphs: Loop as onnxruntime runs it, what it reads from around it, reading back, and what is refused. */
import {
  Add,
  Gather,
  Graph,
  gradients,
  Loop,
  Mul,
  prune,
  ReduceSum,
  readOnnx,
  symbolicDim,
  tensor,
  type Value,
  writeOnnx,
} from '@cyclegan/graph';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';

const always = tensor('bool', [], Uint8Array.of(1));

/** A body's fixed inputs and output around `turn`, which gets the turn's number and the state, and gives the next. */
function body(graph: Graph, like: Value, turn: (inner: Graph, index: Value, state: Value) => Value): Graph {
  const inner = graph.subgraph('turn');
  const index = inner.input('index', 'int64', []);
  inner.input('goes_on', 'bool', []);
  const state = inner.input('state', like.dtype, like.shape);
  const next = turn(inner, index, state);
  inner.output('goes_on_next', inner.constant(always));
  inner.output('state_next', next);
  return inner;
}

/** sₜ₊₁ = (sₜ + rowₜ) · factor, whose rows and factor are the outer graph's; each turn's sum is kept. */
function accumulation(): Graph {
  const graph = new Graph('accumulation');
  const turns = graph.input('turns', 'int64', []);
  const rows = graph.input('rows', 'float32', [symbolicDim('turns'), 2]);
  const start = graph.input('start', 'float32', [2]);
  const factor = graph.op(Add, [graph.float(1.5), graph.float(0.5)]);
  const inner = body(graph, start, (turn, index, state) => {
    const row = turn.op(Gather, [rows, index], { axis: 0 });
    return turn.op(Mul, [turn.op(Add, [state, row]), factor]);
  });
  inner.output('sum', inner.op(ReduceSum, [inner.outputs[1]?.value], { keepdims: 0 }));
  const [last, sums] = graph.ops(Loop, [turns, undefined, start], { body: inner });
  graph.output('last', last as Value);
  graph.output('sums', sums as Value);
  return graph;
}

async function run(graph: Graph, rows: number[][]) {
  const session = await InferenceSession.create(writeOnnx(graph), { logSeverityLevel: 4 });
  const results = await session.run({
    turns: new Tensor('int64', [BigInt(rows.length)], []),
    rows: new Tensor('float32', rows.flat(), [rows.length, 2]),
    start: new Tensor('float32', [1, 2], [2]),
  });
  await session.release();
  return { last: [...(results['last']?.data ?? [])], sums: [...(results['sums']?.data ?? [])] };
}

describe('a Loop', () => {
  it('carries its state, reads values from around it, and stacks what is kept', async () => {
    expect(await run(accumulation(), [[1, 1]])).toEqual({ last: [4, 6], sums: [10] });
    const rows = [
      [1, 1],
      [0, -1],
      [2, 0],
    ];
    expect(await run(accumulation(), rows)).toEqual({ last: [20, 20], sums: [10, 18, 40] });
  });

  it('has outputs of known shape', () => {
    const [last, sums] = accumulation().outputs.map(({ value }) => value.shape);
    expect(last).toEqual([2]);
    expect(sums).toEqual([symbolicDim('turns')]);
    const graph = new Graph('fixed');
    const start = graph.input('start', 'float32', [2]);
    const inner = body(graph, start, (_, __, state) => state);
    inner.output('kept', inner.outputs[1]?.value as Value);
    const turns = graph.constant(tensor('int64', [], BigInt64Array.of(7n)));
    const made = graph.ops(Loop, [turns, undefined, start], { body: inner });
    expect(made.map(({ shape }) => shape)).toEqual([[2], [7, 2]]);
  });

  it('is the same after writing and reading', async () => {
    const { graph } = readOnnx(writeOnnx(accumulation()));
    expect(writeOnnx(graph)).toEqual(writeOnnx(accumulation()));
    expect(await run(graph, [[1, 1]])).toEqual({ last: [4, 6], sums: [10] });
  });

  it('keeps what only its body reads when dead nodes go', async () => {
    const graph = accumulation();
    graph.op(Add, [graph.inputs[2], graph.inputs[2]]);
    expect(prune(graph)).toBe(1);
    expect(await run(graph, [[1, 1]])).toEqual({ last: [4, 6], sums: [10] });
  });

  it('inside a Loop reads from both graphs around it', async () => {
    const graph = new Graph('nested');
    const turns = graph.input('turns', 'int64', []);
    const rows = graph.input('rows', 'float32', [symbolicDim('turns'), 2]);
    const start = graph.input('start', 'float32', [2]);
    const outer = body(graph, start, (turn, index, state) => {
      const inner = turn.subgraph('inner_turn');
      inner.input('inner_index', 'int64', []);
      inner.input('inner_goes_on', 'bool', []);
      const sum = inner.input('inner_state', 'float32', [2]);
      inner.output('inner_goes_on_next', inner.constant(always));
      const row = inner.op(Gather, [rows, index], { axis: 0 });
      inner.output('inner_state_next', inner.op(Add, [sum, row]));
      const twice = turn.constant(tensor('int64', [], BigInt64Array.of(2n)));
      return turn.op(Loop, [twice, undefined, state], { body: inner });
    });
    graph.output('last', graph.op(Loop, [turns, undefined, start], { body: outer }));
    const read = readOnnx(writeOnnx(graph)).graph;
    for (const each of [graph, read]) {
      const rows = [
        [1, 10],
        [2, 20],
      ];
      expect((await run(each, rows)).last).toEqual([7, 62]);
    }
  });
});

describe('a Loop is refused', () => {
  const graph = new Graph('refused');
  const turns = graph.input('turns', 'int64', []);
  const start = graph.input('start', 'float32', [2]);
  let names = 0;
  const make = (shape: number[], outer = graph) => {
    const inner = outer.subgraph('turn');
    const id = names++;
    inner.input(`index${id}`, 'int64', []);
    inner.input(`goes_on${id}`, 'bool', []);
    const state = inner.input(`state${id}`, 'float32', shape);
    inner.output(`goes_on_next${id}`, inner.constant(always));
    inner.output(`state_next${id}`, state);
    return inner;
  };

  it.each<[string, () => unknown, RegExp]>([
    ['without a body', () => graph.op(Loop, [turns, undefined, start]), /expected a body/],
    [
      'with a condition',
      () => graph.op(Loop, [turns, graph.constant(always), start], { body: make([2]) }),
      /expected no condition/,
    ],
    [
      'when a float counts its turns',
      () => graph.op(Loop, [start, undefined, start], { body: make([2]) }),
      /expected an int64 scalar/,
    ],
    [
      'when its body takes another shape',
      () => graph.op(Loop, [turns, undefined, start], { body: make([3]) }),
      /expected state 0 before a turn of float32\[2\], got float32\[3\]/,
    ],
    [
      'when its body takes more state',
      () => graph.op(Loop, [turns, undefined, start, start], { body: make([2]) }),
      /expected a body of 2 state values, got 1 in and 1 out/,
    ],
    [
      'with the body of another graph',
      () => graph.op(Loop, [turns, undefined, start], { body: make([2], new Graph('other')) }),
      /expected a graph made as a subgraph of refused/,
    ],
  ])('%s', (_, build, message) => {
    expect(build).toThrow(message);
  });

  it('by the gradient, also for what only its body reads', () => {
    const source = accumulation();
    const weight = source.input('weight', 'float32', [2]);
    const inner = source.subgraph('other_turn');
    inner.input('i', 'int64', []);
    inner.input('c', 'bool', []);
    const state = inner.input('s', 'float32', [2]);
    inner.output('c_next', inner.constant(always));
    inner.output('s_next', inner.op(Mul, [state, weight]));
    const [count, , begin] = source.inputs;
    const made = source.op(Loop, [count, undefined, begin], { body: inner });
    const loss = source.op(ReduceSum, [made], { keepdims: 0 });
    expect(() => gradients(source, loss, [weight])).toThrow(
      /gradient of Loop .* expected an operator with a/,
    );
  });
});
