/** Outputs as onnxruntime sees them: any value under any names, and in the order declared. */
import { Graph, Relu, readOnnx, writeOnnx } from '@cyclegan/graph';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect, it } from 'vitest';

it('gives one value under two names, an input, a constant and a value read on by others', async () => {
  const graph = new Graph('aliases');
  const x = graph.input('x', 'float32', [2]);
  const unused = graph.input('unused', 'float32', [1]);
  const y = graph.op(Relu, [x]);
  const constant = graph.float([7]);
  graph.output('first', y);
  graph.output('second', y);
  graph.output('x', x);
  graph.output('same', x);
  graph.output('constant', constant);
  graph.output(constant.name, constant);
  graph.output('z', graph.op(Relu, [y]));
  const bytes = writeOnnx(graph);
  const feeds = { x: new Tensor('float32', [-1, 2], [2]), unused: new Tensor('float32', [0], [1]) };
  const expected = {
    first: [0, 2],
    second: [0, 2],
    x: [-1, 2],
    same: [-1, 2],
    constant: [7],
    [constant.name]: [7],
    z: [0, 2],
  };
  for (const file of [bytes, writeOnnx(readOnnx(bytes).graph)]) {
    const session = await InferenceSession.create(file, { logSeverityLevel: 4 });
    expect(session.outputNames).toEqual(Object.keys(expected));
    expect(session.inputNames).toEqual(['x', unused.name]);
    const results = await session.run(feeds);
    for (const [name, values] of Object.entries(expected)) {
      expect(results[name]?.data, name).toEqual(Float32Array.from(values));
    }
    await session.release();
  }
});

it('runs a graph without nodes', async () => {
  const graph = new Graph('nothing');
  graph.output('x', graph.input('x', 'float32', [2]));
  const session = await InferenceSession.create(writeOnnx(readOnnx(writeOnnx(graph)).graph), {
    logSeverityLevel: 4,
  });
  const { x } = await session.run({ x: new Tensor('float32', [3, 4], [2]) });
  expect(x?.data).toEqual(Float32Array.of(3, 4));
  await session.release();
});
