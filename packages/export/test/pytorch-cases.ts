/** The files that make_pytorch_fixtures.py writes, and how each is held against PyTorch's answer. For tests alone. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { importPyTorch, importPyTorchDiscriminator } from '@cyclegan/export';
import { Graph, type Shape, writeOnnx } from '@cyclegan/graph';
import { discriminatorNetwork, readSafetensors, type StoredTensor, type Tensor } from '@cyclegan/model';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { expect } from 'vitest';

export const fixtures = fileURLToPath(new URL('../../../test/fixtures/pytorch', import.meta.url));

export interface Case {
  readonly name: string;
  readonly path: string;
  /** As PyTorch built it; null for an architecture that configurations cannot say. */
  readonly config: Readonly<Record<string, unknown>> | null;
  readonly input: StoredTensor;
  readonly output: StoredTensor;
}

export async function readCases(folder: string): Promise<Case[]> {
  const { tensors, metadata } = await readSafetensors(join(folder, 'answers.safetensors'));
  return Object.entries(metadata).map(([name, config]) => {
    const [input, output] = [tensors.get(`${name}.input`), tensors.get(`${name}.output`)];
    if (!input || !output) throw new Error(`no answer of ${name}`);
    return { name, path: join(folder, `${name}.pth`), config: JSON.parse(config), input, output };
  });
}

/** Imports the file, and expects what PyTorch built, and PyTorch's answer of the graph and of the reference. */
export async function expectCase({ path, config, input, output }: Case): Promise<void> {
  if (config && 'ndf' in config) return expectDiscriminator(path, config, input, output);
  const imported = await importPyTorch(path, { direction: 'AtoB' });
  // Dropout leaves no trace in a unet's keys.
  expect(imported.config).toEqual(config?.['kind'] === 'unet' ? { ...config, dropout: false } : config);
  expectClose(await runGraph(imported.graph, input), output);
  const reference = await imported.openReference();
  expectClose(await reference.run(input as Tensor), output);
  await reference.dispose();
}

async function expectDiscriminator(
  path: string,
  config: unknown,
  input: StoredTensor,
  output: StoredTensor,
): Promise<void> {
  const imported = await importPyTorchDiscriminator(path);
  expect(imported.config).toEqual(config);
  expect(imported.inputChannels).toBe(input.shape[1]);
  const graph = new Graph('discriminator');
  const image = graph.input('image', 'float32', input.shape as Shape);
  const network = discriminatorNetwork(imported.config, imported.inputChannels);
  const logits = network.apply(graph, image, (name) => {
    const { shape, data } = imported.weights.get(name) ?? expect.unreachable(`no ${name}`);
    return graph.constant({ dtype: 'float32', shape, data }, name);
  });
  graph.output('logits', logits);
  expectClose(await runGraph(graph, input), output);
}

/** Runs a graph of one input and one output. */
export async function runGraph(graph: Graph, { shape, data }: StoredTensor | Tensor): Promise<OrtTensor> {
  const session = await InferenceSession.create(writeOnnx(graph), { logSeverityLevel: 3 });
  const feeds = { [session.inputNames[0] ?? '']: new OrtTensor('float32', data as Float32Array, shape) };
  const [result] = Object.values(await session.run(feeds));
  await session.release();
  return result ?? expect.unreachable('no output');
}

function expectClose(got: OrtTensor | Tensor, { shape, data }: StoredTensor): void {
  expect('dims' in got ? got.dims : got.shape).toEqual(shape);
  const wanted = data as Float32Array;
  const scale = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  const worst = (got.data as Float32Array).reduce(
    (most, value, i) => Math.max(most, Math.abs(value - (wanted[i] ?? Number.NaN))),
    0,
  );
  expect(worst).toBeLessThanOrEqual(1e-4 * scale);
}
