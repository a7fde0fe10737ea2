/**
 * tfjs models of other authors, which are no part of the repository: each folder with a model.json in the folder that
 * CYCLEGAN_TFJS_MODELS names is imported and held against tfjs itself. Skipped aloud without it.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type CustomLayer, importTfjs } from '@cyclegan/export';
import { DepthToSpace, fixedDim, type Graph, Transpose, writeOnnx } from '@cyclegan/graph';
import type { Tensor } from '@cyclegan/model';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { expect, test } from 'vitest';

const folder = process.env['CYCLEGAN_TFJS_MODELS'] ?? '';
const models = folder
  ? readdirSync(folder).filter((name) => existsSync(join(folder, name, 'model.json')))
  : [];

/** TensorFlow's operator as tf.keras 2 saves it where it stands between layers. */
const depthToSpace: CustomLayer = {
  className: 'TensorFlowOpLayer',
  refuse: (config) =>
    operator(config.value('node_def')) === 'DepthToSpace' ? undefined : 'another operator',
  convert: ({ graph, x, config }) => {
    const planes = graph.op(Transpose, [x], { perm: [0, 3, 1, 2] });
    const moved = graph.op(DepthToSpace, [planes], {
      blocksize: blockSize(config.value('node_def')),
      mode: 'DCR',
    });
    return graph.op(Transpose, [moved], { perm: [0, 2, 3, 1] });
  },
  define: (tf) =>
    class extends tf.layers.Layer {
      static className = 'TensorFlowOpLayer';
      readonly block: number;
      constructor(config: { nodeDef?: unknown; name?: string }) {
        super(config);
        this.block = blockSize(config.nodeDef);
      }
      override computeOutputShape(shape: (number | null)[] | (number | null)[][]) {
        const [n = null, height = null, width = null, channels = null] = shape as (number | null)[];
        const times = (size: number | null, factor: number) => (size === null ? null : size * factor);
        return [n, times(height, this.block), times(width, this.block), times(channels, this.block ** -2)];
      }
      override call(inputs: Parameters<typeof tf.relu>[0] | Parameters<typeof tf.relu>[0][]) {
        const [x] = Array.isArray(inputs) ? inputs : [inputs];
        return tf.depthToSpace(x as Parameters<typeof tf.depthToSpace>[0], this.block);
      }
    },
};

function operator(node: unknown): unknown {
  return (node as { op?: unknown } | undefined)?.op;
}

/** tfjs hands keys on in camel case. */
function blockSize(node: unknown): number {
  const { attr } = node as { attr: Record<string, { i?: string }> };
  return Number((attr['block_size'] ?? attr['blockSize'])?.i);
}

/** Several sizes, odd ones among them, where the model leaves them free. */
function imagesFor(graph: Graph): Tensor[] {
  const [batch = 1, channels, height = 1, width = 1] = graph.inputs[0]?.shape ?? [];
  const free = [
    [1, 32, 32],
    [2, 17, 31],
    [1, 40, 9],
  ] as const;
  return free.map(([n, h, w], i) => {
    const sizes = [batch, channels, height, width].map((dim, axis) =>
      typeof dim === 'number' ? dim : axis === 1 ? fixedDim(dim, 'channels') : ([n, 0, h, w][axis] ?? 1),
    );
    let state = i + 1;
    const data = Float32Array.from({ length: sizes.reduce((a, b) => a * b, 1) }, () => {
      state = (state * 16807) % 2147483647;
      return state / 2147483647;
    });
    return { shape: sizes, data };
  });
}

const named = models.length > 0 ? models : ['none: set CYCLEGAN_TFJS_MODELS to a folder of them'];

test.skipIf(models.length === 0).each(named)('real tfjs model %s', { timeout: 600_000 }, async (name) => {
  const { graph, openReference } = await importTfjs(join(folder, name), { customLayers: [depthToSpace] });
  const session = await InferenceSession.create(writeOnnx(graph), { logSeverityLevel: 4 });
  const reference = await openReference();
  for (const image of imagesFor(graph)) {
    const feed = new OrtTensor('float32', image.data as Float32Array, [...image.shape]);
    const { translation } = await session.run({ image: feed });
    const expected = await reference.run(image);
    expect(translation?.dims).toEqual(expected.shape);
    const got = translation?.data as Float32Array;
    const apart = Array.from(expected.data, (value, i) => Math.abs(value - (got[i] ?? Number.NaN)));
    expect(apart.reduce((most, difference) => Math.max(most, difference), 0)).toBeLessThan(1e-4);
  }
  await reference.dispose();
  await session.release();
});
