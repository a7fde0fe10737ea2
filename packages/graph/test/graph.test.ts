/** The graph as data: names, scopes, shared constants, replacing a node, dropping what no output needs. */
import { Add, float32, Graph, Identity, int64, Mul, Neg, prune, Relu, Split, Tanh } from '@cyclegan/graph';
import { describe, expect, it } from 'vitest';

function small() {
  const graph = new Graph('small');
  return { graph, x: graph.input('x', 'float32', [2, 3]) };
}

describe('names', () => {
  it('begin with the scopes they were made in, also after a scope failed', () => {
    const { graph, x } = small();
    const inner = graph.scope('net', () => graph.scope('block', () => graph.op(Relu, [x])));
    expect(inner.name).toBe('net/block/Relu_out_1');
    const broken = () => {
      throw new Error('broken');
    };
    expect(() => graph.scope('net', broken)).toThrow('broken');
    expect(graph.op(Relu, [x]).name).toBe('Relu_out_1');
    expect(graph.nodes.map(({ name }) => name)).toEqual(['net/block/Relu_1', 'Relu_1']);
  });

  it('that are made keep out of the way of those given', () => {
    const { graph, x } = small();
    graph.input('Relu_out_1', 'float32', [1]);
    expect(graph.op(Relu, [x]).name).toBe('Relu_out_2');
  });

  it('of nodes are apart from those of values, as in ONNX', () => {
    const { graph, x } = small();
    const y = graph.op(Relu, [x]);
    graph.output('Relu_1', y);
    expect(graph.outputs).toEqual([{ name: 'Relu_1', value: y }]);
  });

  it('of outputs and of a node are taken literally', () => {
    const { graph, x } = small();
    const parts = graph.ops(Split, [x, graph.ints([1, 2])], { axis: 1 }, ['left', 'right'], 'cut');
    expect(parts.map(({ name, shape }) => [name, shape])).toEqual([
      ['left', [2, 1]],
      ['right', [2, 2]],
    ]);
    expect(graph.nodes[0]?.name).toBe('cut');
  });
});

describe('constants', () => {
  it('of a key are made once in a graph, however large', () => {
    const { graph } = small();
    let made = 0;
    const of = (into: Graph, key: string) =>
      into.sharedConstant(key, () => {
        made++;
        return float32(new Array(100).fill(made));
      });
    expect(of(graph, 'hundred')).toBe(of(graph, 'hundred'));
    expect(made).toBe(1);
    expect(of(graph, 'other')).not.toBe(of(graph, 'hundred'));
    expect(small().graph.has(of(graph, 'hundred'))).toBe(false);
  });

  it('that are small and equal to the last bit are one', () => {
    const { graph } = small();
    expect(graph.float(1)).toBe(graph.float(1));
    expect(graph.ints([1, 2])).toBe(graph.constant(int64([1, 2])));
    expect(graph.float(Number.NaN)).toBe(graph.float(Number.NaN));
  });

  it('that differ in type, shape or sign of zero, or have a name, are not', () => {
    const { graph } = small();
    const all = [
      graph.float(0),
      graph.float(-0),
      graph.float(0, [1]),
      graph.ints([0]),
      graph.constant(int64([0], [])),
      graph.constant(int64([0]), 'zero'),
    ];
    expect(new Set(all).size).toBe(all.length);
  });
});

describe('replace', () => {
  it('names what is built as if it were where the node is', () => {
    const { graph, x } = small();
    graph.scope('net', () => graph.op(Tanh, [x]));
    graph.scope('gradient', () =>
      graph.replace(graph.nodes[0] as never, () => ({ output: graph.op(Relu, [x]), result: 0 })),
    );
    expect(graph.nodes.map(({ name }) => name)).toEqual(['net/Relu_1']);
    expect(graph.op(Relu, [x]).name).toBe('Relu_out_1');
  });

  it('puts nodes in the place of one, whose readers notice nothing', () => {
    const { graph, x } = small();
    const y = graph.op(Tanh, [x]);
    const z = graph.op(Neg, [y]);
    const result = graph.replace(graph.nodes[0] as never, () => {
      const doubled = graph.op(Add, [x, x]);
      return { output: graph.op(Mul, [doubled, x]), result: doubled };
    });
    expect(graph.nodes.map(({ op }) => op.name)).toEqual(['Add', 'Mul', 'Neg']);
    expect(graph.nodes[1]?.outputs).toEqual([y]);
    expect(graph.nodes[2]).toMatchObject({ inputs: [y], outputs: [z] });
    expect(result).toBe(graph.nodes[0]?.outputs[0]);
  });

  it('refuses what does not fit the place, and nodes that are not there', () => {
    const { graph, x } = small();
    graph.op(Tanh, [x]);
    const [node] = graph.nodes;
    if (!node) throw new Error('no node');
    const scalar = () => graph.op(Neg, [graph.float(1)]);
    expect(() => graph.replace(node, () => ({ output: scalar(), result: 0 }))).toThrow(
      /^Tanh Tanh_1 \(float32\[2, 3\]\): expected a replacement that ends in float32\[2, 3\], got float32\[\]\.$/,
    );
    const notLast = () => {
      const output = graph.op(Relu, [x]);
      graph.op(Neg, [output]);
      return { output, result: 0 };
    };
    expect(() => graph.replace(node, notLast)).toThrow(/expected a replacement/);
    expect(() => new Graph('other').replace(node, () => ({ output: x, result: 0 }))).toThrow(
      /expected a node of other with one output to replace/,
    );
    expect(graph.nodes).toEqual([node]);
  });
});

describe('prune', () => {
  it('drops the nodes that no output depends on, and keeps the inputs', () => {
    const { graph, x } = small();
    const unused = graph.input('unused', 'float32', [1]);
    const [left, right] = graph.ops(Split, [x, graph.ints([1, 2])], { axis: 1 });
    graph.op(Neg, [graph.op(Relu, [unused])]);
    graph.op(Identity, [left]);
    graph.output('y', graph.op(Tanh, [right]));
    expect(prune(graph)).toBe(3);
    expect(graph.nodes.map(({ op }) => op.name)).toEqual(['Split', 'Tanh']);
    expect(graph.inputs).toEqual([x, unused]);
    expect(prune(graph)).toBe(0);
  });

  it('keeps nothing for outputs that are inputs', () => {
    const { graph, x } = small();
    graph.op(Relu, [x]);
    graph.output('x', x);
    expect(prune(graph)).toBe(1);
    expect(graph.nodes).toEqual([]);
  });
});
