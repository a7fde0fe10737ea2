/** The smallest step that has everything, and its inputs, for tests of the step's graphs. No tests. */
import type { Graph } from '@cyclegan/graph';
import { initialWeights } from '@cyclegan/model';
import {
  groupBuffers,
  groupNames,
  groupParameters,
  noiseFor,
  noiseInputs,
  type StepConfig,
} from '@cyclegan/train';
import { Tensor } from 'onnxruntime-node';

/** Usual options on images of 12×16. */
export const tinyStep: StepConfig = {
  networks: {
    generator: {
      kind: 'resnet',
      blocks: 1,
      ngf: 2,
      norm: 'instance',
      dropout: false,
      upsample: 'transpose',
      inputChannels: 3,
      outputChannels: 3,
    },
    discriminator: { kind: 'patch', ndf: 2, layers: 1, norm: 'instance' },
  },
  objective: {
    gan: 'lsgan',
    lambdaGanA: 1,
    lambdaGanB: 1,
    lambdaA: 10,
    lambdaB: 10,
    lambdaIdentity: 0.5,
    lambdaGp: 10,
  },
  adam: { beta1: 0.5, beta2: 0.999 },
  recompute: false,
  batch: 1,
  height: 12,
  width: 16,
};

/** Batch normalisation and dropout everywhere, and a gradient penalty. */
export const noisyStep: StepConfig = {
  ...tinyStep,
  networks: {
    generator: { ...tinyStep.networks.generator, kind: 'resnet', blocks: 2, norm: 'batch', dropout: true },
    discriminator: { kind: 'patch', ndf: 2, layers: 1, norm: 'batch' },
  },
  objective: { ...tinyStep.objective, gan: 'wgangp', lambdaGp: 0.1 },
};

/** Values for whatever inputs a graph of this step has: fresh translations from the pools, noise of one seed. */
export function feedsOf(graph: Graph, { networks }: StepConfig, seed = 1): Record<string, Tensor> {
  const noise = new Map(noiseInputs(graph).map((input) => [input.name, noiseFor(input, seed)]));
  const init = { type: 'normal', gain: 0.2 } as const;
  const vectors = new Map(
    groupNames.flatMap((group, i) => [
      [`${group}.parameters`, initialWeights(groupParameters(networks, group), i + 1, init)],
      [`${group}.buffers`, initialWeights(groupBuffers(networks, group), 0, init)],
    ]),
  );
  const scalars = new Map([
    ['step_size', 1e-3],
    ['epsilon_hat', 1e-8],
  ]);
  return Object.fromEntries(
    graph.inputs.map(({ name, dtype, shape }) => {
      const sizes = shape.map(Number);
      const size = sizes.reduce((product, dim) => product * dim, 1);
      const drawn = noise.get(name);
      if (drawn) return [name, new Tensor(dtype, drawn, sizes)];
      if (dtype === 'int64')
        return [name, new Tensor('int64', new BigInt64Array(size).fill(BigInt(size)), sizes)];
      const phase = [...name].reduce((sum, letter) => sum + letter.charCodeAt(0), 0);
      const given = vectors.get(name) ?? scalars.get(name) ?? (/^[GD]\./.test(name) ? 0 : undefined);
      const data =
        given instanceof Float32Array
          ? given
          : Float32Array.from({ length: size }, (_, i) => given ?? Math.sin(i / 3 + phase));
      return [name, new Tensor('float32', data, sizes)];
    }),
  );
}
