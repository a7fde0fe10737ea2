/** How much a graph holds at once, against sums by hand. */
import { Add, Conv, Graph, GraphError, peakBytes, Relu, symbolicDim, tensor } from '@cyclegan/graph';
import { expect, it } from 'vitest';

const plane = 8 * 8 * 4;

it('frees what is read for the last time, and counts inputs and outputs to the end', () => {
  const graph = new Graph('chain');
  const x = graph.input('x', 'float32', [1, 1, 8, 8]);
  const a = graph.op(Relu, [x]);
  const b = graph.op(Relu, [a]);
  graph.output('y', graph.op(Relu, [b]));
  // x with a and b, then x with b and y: never all four.
  expect(peakBytes(graph)).toBe(3 * plane);
});

it('holds a skip connection over what it skips', () => {
  const graph = new Graph('skip');
  const x = graph.input('x', 'float32', [1, 1, 8, 8]);
  const kept = graph.op(Relu, [x]);
  const inner = graph.op(Relu, [graph.op(Relu, [kept])]);
  graph.output('y', graph.op(Add, [kept, inner]));
  expect(peakBytes(graph)).toBe(4 * plane);
});

it('counts channels, and no constants', () => {
  const graph = new Graph('wide');
  const x = graph.input('x', 'float32', [1, 1, 8, 8]);
  const weights = graph.constant(tensor('float32', [16, 1, 1, 1], new Float32Array(16)));
  graph.output('y', graph.op(Conv, [x, weights], {}));
  expect(peakBytes(graph)).toBe(17 * plane);
});

it('wants every size fixed', () => {
  const graph = new Graph('open');
  graph.output('y', graph.op(Relu, [graph.input('x', 'float32', [1, 1, symbolicDim('H'), 8])]));
  expect(() => peakBytes(graph)).toThrow(GraphError);
});
