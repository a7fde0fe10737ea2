/** Wrong graphs: each is refused where it is written, by one sentence that names operator, node and shapes. */
import {
  Add,
  And,
  type AttributeSchema,
  type Attributes,
  AveragePool,
  BatchNormalization,
  Cast,
  Clip,
  Concat,
  Conv,
  ConvTranspose,
  DepthToSpace,
  DequantizeLinear,
  Einsum,
  Expand,
  formatShape,
  Gather,
  Gemm,
  Graph,
  GraphError,
  InstanceNormalization,
  int64,
  LeakyRelu,
  MatMul,
  MaxPool,
  Mod,
  type OpDefinition,
  Pad,
  PRelu,
  QuantizeLinear,
  Range,
  ReduceMean,
  ReduceSum,
  Relu,
  Reshape,
  Resize,
  ScatterND,
  type Shape,
  Slice,
  SpaceToDepth,
  Split,
  Squeeze,
  symbolicDim,
  Tanh,
  Tile,
  Transpose,
  tensor,
  Unsqueeze,
  Where,
} from '@cyclegan/graph';
import { describe, expect, it, test } from 'vitest';

type Input = Shape | number[][] | undefined;
/** Operator, inputs (a shape for a float32 input, a list in a list for constant whole numbers), attributes, what is said. */
type Wrong = [string, OpDefinition<never> | OpDefinition, Input[], RegExp, Attributes?];

const image: Shape = [2, 3, 8, 8];
const weights: Shape = [4, 3, 3, 3];
const h = symbolicDim('H', 4);

const wrong: Wrong[] = [
  ['too few inputs', Add, [[2]], /expected 2 inputs, got 1/],
  ['too many inputs', Conv, [image, weights, [4], [4]], /expected 2 to 3 inputs, got 4/],
  ['an input left out', Add, [[2], undefined], /expected input 1, got none/],
  [
    'an attribute of another operator',
    Conv,
    [image, weights],
    /got "output_padding"/,
    { output_padding: [1, 1] },
  ],
  [
    'shapes that do not broadcast',
    Add,
    [
      [2, 3],
      [2, 4],
    ],
    /broadcast/,
  ],
  ['symbols that do not broadcast', Add, [[symbolicDim('H')], [symbolicDim('W')]], /broadcast/],
  ['types that differ', Add, [[2], [[1, 2]]], /equal types, got float32 and int64/],
  ['a matrix of whole numbers', MatMul, [[2, 2], [[1, 2]]], /one type, got float32 and int64/],
  ['a product of scalars', MatMul, [[2], []], /matrices or vectors/],
  [
    'inner sizes',
    MatMul,
    [
      [2, 3],
      [4, 5],
    ],
    /equal inner sizes, got 3 and 4/,
  ],
  [
    'leading axes',
    MatMul,
    [
      [2, 2, 3],
      [4, 3, 5],
    ],
    /leading axes that broadcast/,
  ],
  [
    'Gemm of stacks',
    Gemm,
    [
      [2, 2, 3],
      [3, 5],
    ],
    /two matrices/,
  ],
  [
    'Gemm, inner sizes',
    Gemm,
    [
      [2, 3],
      [3, 5],
    ],
    /equal inner sizes, got 3 and 5/,
    { transB: 1 },
  ],
  [
    'Gemm, a C larger than the product',
    Gemm,
    [
      [1, 3],
      [3, 5],
      [4, 5],
    ],
    /C to broadcast to the product/,
  ],
  ['channels', Conv, [image, [4, 2, 3, 3]], /expected 2 input channels, got 3/],
  ['an image without batch', Conv, [[3, 8, 8], weights], /NCHW input and weights of rank 4/],
  ['a kernel larger than the image', Conv, [[1, 3, 2, 8], weights], /at least as large as the kernel/],
  ['another kernel_shape', Conv, [image, weights], /kernel_shape, got \[5, 5\]/, { kernel_shape: [5, 5] }],
  ['stride 0', Conv, [image, weights], /2 strides from 1, got \[0, 1\]/, { strides: [0, 1] }],
  ['two pads', Conv, [image, weights], /4 pads from 0, got \[1, 1\]/, { pads: [1, 1] }],
  ['group 0', Conv, [image, weights], /group from 1, got 0/, { group: 0 }],
  [
    'groups that do not divide',
    Conv,
    [
      [1, 3, 8, 8],
      [4, 1, 3, 3],
    ],
    /group to divide 4/,
    { group: 3 },
  ],
  ['a bias of another size', Conv, [image, weights, [3]], /bias of \[4\], got \[3\]/],
  ['an unknown auto_pad', Conv, [image, weights], /SAME_LOWER, VALID, got SAME/, { auto_pad: 'SAME' }],
  ['a pool without a kernel', MaxPool, [image], /expected a kernel_shape/],
  ['a pool of vectors', AveragePool, [[3, 8]], /expected an NCHW input/, { kernel_shape: [2, 2] }],
  ['a pool larger than the image', MaxPool, [image], /as large as the kernel/, { kernel_shape: [9, 1] }],
  ['blocks that do not divide', SpaceToDepth, [image], /expected 3 to divide 8/, { blocksize: 3 }],
  ['channels that are no blocks', DepthToSpace, [image], /expected 4 to divide 3/, { blocksize: 2 }],
  ['blocks of nothing', DepthToSpace, [image], /blocksize from 1, got undefined/],
  ['ConvTranspose, channels', ConvTranspose, [image, weights], /expected 4 input channels, got 3/],
  [
    'pads that leave nothing',
    ConvTranspose,
    [[1, 4, 1, 1], weights],
    /\[1, 3, -1, -1\]/,
    { pads: [2, 2, 2, 2] },
  ],
  ['norm of another channel count', InstanceNormalization, [image, [4], [4]], /vectors of C elements/],
  [
    'statistics of another channel count',
    BatchNormalization,
    [image, [3], [3], [3], [4]],
    /four vectors of as many/,
  ],
  [
    'batch norm in its training form',
    BatchNormalization,
    [image, [3], [3], [3], [3]],
    /expected training_mode 0/,
    { training_mode: 1 },
  ],
  ['pads of another rank', Pad, [[2, 3], [[1, 1]]], /expected 4 pads, got 2/],
  ['pads that are computed', Pad, [[2], [2]], /expected constant pads/],
  [
    'a wide reflection',
    Pad,
    [[2, 3], [[0, 3, 0, 0]]],
    /narrower than axis 1 of 3, got 3/,
    { mode: 'reflect' },
  ],
  ['a negative reflection', Pad, [[3], [[-1, 0]]], /pads from 0, got \[-1, 0\]/, { mode: 'reflect' }],
  ['an unknown mode', Pad, [[3], [[1, 1]]], /mode constant, reflect, edge, got wrap/, { mode: 'wrap' }],
  ['an axis that is wide', Squeeze, [[2, 3], [[1]]], /axes of size 1, got 3 along 1/],
  ['an axis twice', Unsqueeze, [[2, 3], [[1, -3]]], /each axis once, got \[1, -3\]/],
  ['repeats of another rank', Tile, [[2, 3], [[2]]], /expected 2 repeats, got \[2\]/],
  ['a step of 0', Range, [[[1]], [[5]], [[0]]], /known step other than 0/],
  ['bounds that are computed', Range, [[1], [1], [1]], /expected known bounds/],
  ['letters of another number', Einsum, [[2, 3]], /expected 2 letters, got "abc"/, { equation: 'abc->a' }],
  [
    'a letter of two sizes',
    Einsum,
    [
      [2, 3],
      [4, 5],
    ],
    /one size for "b"/,
    { equation: 'ab,bc' },
  ],
  ['an ellipsis', Einsum, [[2, 3]], /equation of letters, got "\.\.\.a"/, { equation: '...a' }],
  ['a slope for more than the input', PRelu, [[3], [2, 3]], /slope that broadcasts to the input/],
  ['a vector of bounds', Clip, [[3], [3]], /bounds that are scalars/],
  ['a modulus of floats', Mod, [[3], [3]], /expected fmod 1/],
  ['logic of numbers', And, [[3], [3]], /expected bools, got float32/],
  ['an update too many', ScatterND, [[4, 2], [[1]], [3]], /update for each index/],
  ['scales of another number', QuantizeLinear, [image, [4]], /one for each place of the axis/],
  ['integers of floats', DequantizeLinear, [image, []], /expected integers, got float32/],
  ['sizes of another rank', Resize, [image, undefined, undefined, [[2, 2]]], /expected 4 sizes, got 2/],
  [
    'a resize of unknown mode',
    Resize,
    [[2], undefined, undefined, [[2]]],
    /mode nearest, linear, cubic, got lanczos/,
    { mode: 'lanczos' },
  ],
  ['crops beyond the input', Pad, [[3], [[-2, -2]]], /\[-1\]/],
  ['an axis that is not there', ReduceMean, [[2, 3]], /axis in -2…1, got 2/, { axes: [2] }],
  ['a fractional axis', Concat, [[2, 3]], /axis in -2…1, got 0.5/, { axis: 0.5 }],
  ['sizes that do not hold the input', Reshape, [[2, 3], [[4, 2]]], /as many elements.*\[4, 2\]/],
  ['two sizes to be found', Reshape, [[4], [[-1, -1]]], /as many elements.*\[-1, -1\]/],
  ['a negative size', Reshape, [[6], [[-2, -3]]], /sizes that give a tensor, got \[-2, -3\]/],
  ['a symbol that is not kept', Reshape, [[h, 6], [[2, 3]]], /as many elements.*\[2, 3\]/],
  ['a size left open in nothing', Reshape, [[0, 3], [[0, -1]]], /as many elements.*\[0, -1\]/],
  ['a permutation with a gap', Transpose, [[2, 3]], /permutation of 2 axes, got \[0, 0\]/, { perm: [0, 0] }],
  ['a join without an axis', Concat, [[2], [2]], /expected an axis/],
  [
    'a join of other shapes',
    Concat,
    [
      [2, 3],
      [2, 4],
    ],
    /alike but for axis 0/,
    { axis: 0 },
  ],
  ['parts that do not add up', Split, [[5], [[2, 2]]], /add up to 5, got \[2, 2\]/],
  ['parts of negative size', Split, [[5], [[7, -2]]], /sizes that give a tensor, got \[-2\]/],
  ['step 0', Slice, [[5], [[0]], [[5]], [[0]], [[0]]], /steps other than 0/],
  ['bounds of different number', Slice, [[5, 5], [[0, 0]], [[5]]], /as many ends.* 2/],
  ['a slice of computed bounds', Slice, [[h], [2], [[5]]], /expected constant bounds/],
  ['a shape that does not broadcast', Expand, [[3], [[2]]], /broadcasts to the sizes/],
  ['fractional indices', Gather, [[3], [3]], /integer indices, got float32/],
  ['a choice by numbers', Where, [[3], [3], [3]], /bool condition, got float32/],
  ['an unknown type', Cast, [[3]], /known type in "to", got 99/, { to: 99 }],
  ['scales that are computed', Resize, [[2, 2], undefined, [2]], /constant scales of float32/],
];

/** Places the operator in a fresh graph. */
function place(op: OpDefinition<never> | OpDefinition, inputs: Input[], attributes: Attributes = {}) {
  const graph = new Graph('wrong');
  const values = inputs.map((input, i) => {
    const [list] = input ?? [];
    if (Array.isArray(list)) return graph.ints(list);
    return input && graph.input(`x${i}`, 'float32', input as Shape);
  });
  return graph.scope('net', () => graph.op(op as OpDefinition<AttributeSchema>, values, attributes));
}

describe('refuses', () => {
  it.each(wrong)('%s', (_, op, inputs, said, attributes) => {
    let error: unknown;
    try {
      place(op, inputs, attributes);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(GraphError);
    const { message } = error as GraphError;
    const shapes = inputs.map((input) => {
      const [list] = input ?? [];
      if (Array.isArray(list)) return `int64[${list.length}]`;
      return input ? `float32${formatShape(input as Shape)}` : 'none';
    });
    expect(message.startsWith(`${op.name} net/${op.name}_1 (${shapes.join(', ')}): `), message).toBe(true);
    expect(message).toMatch(/: expected [^\n]*\.$/);
    expect(message).toMatch(said);
  });

  test.each([
    [[1, 2], 'scales', /expected 1 scales, got 2/],
    [[0], 'a scale of 0', /above 0, got 0/],
    [[Number.NaN], 'a scale that is no number', /above 0, got NaN/],
  ])('Resize by %j: %s', (scales, _, said) => {
    const graph = new Graph('wrong');
    const x = graph.input('x', 'float32', [h]);
    expect(() => graph.op(Resize, [x, undefined, graph.float(scales)])).toThrow(said);
  });
});

describe('a graph refuses', () => {
  const graph = new Graph('mine');
  const x = graph.input('x', 'float32', [2]);

  it('a name that is taken, for inputs, constants and outputs', () => {
    graph.output('x', x);
    const twice = /graph mine: expected a name of its own, got "x", which is taken\./;
    expect(() => graph.input('x', 'float32', [2])).toThrow(twice);
    expect(() => graph.constant(int64([1]), 'x')).toThrow(twice);
    expect(() => graph.output('x', graph.op(Relu, [x]))).toThrow(twice);
    expect(() => graph.output('x', x)).toThrow(twice);
  });

  it('a value of another graph', () => {
    const foreign = new Graph('other').input('foreign', 'float32', [2]);
    expect(() => graph.op(Add, [x, foreign])).toThrow(/input 1 to be of graph mine/);
    expect(() => graph.output('y', foreign)).toThrow(/expected output "y" of this graph/);
  });

  it('sizes that no tensor has', () => {
    for (const size of [-1, 1.5, Number.NaN, 2 ** 60]) {
      expect(() => graph.input('y', 'float32', [size])).toThrow(/expected input "y" of whole sizes/);
      expect(() => tensor('float32', [size], new Float32Array())).toThrow(GraphError);
    }
    expect(() => tensor('float32', [2, 3], new Float32Array(5))).toThrow(
      'tensor [2, 3]: expected 6 elements, got 5.',
    );
    expect(() => graph.ints([1.5])).toThrow(/expected whole numbers, got \[1\.5\]/);
    expect(() => graph.constant({ dtype: 'float32', shape: [3], data: new Float32Array(2) })).toThrow(
      GraphError,
    );
  });

  it('names for outputs that are not there', () => {
    expect(() => graph.ops(Tanh, [x], {}, ['a', 'b'])).toThrow(/expected 1 outputs, got 2 names/);
  });

  it('and is as it was after a refusal', () => {
    const before = graph.nodes.length;
    expect(() => graph.op(LeakyRelu, [])).toThrow(GraphError);
    expect(() => graph.op(ReduceSum, [x, graph.ints([5])])).toThrow(GraphError);
    expect(graph.nodes).toHaveLength(before);
  });
});
