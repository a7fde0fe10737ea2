/**
 * Fine-tuning: the first weights of a run from another run, a checkpoint, a weights file or a bundle. What the source
 * does not hold (a bundle has no discriminators) begins anew.
 */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readOnnx } from '@cyclegan/graph';
import {
  type DiscriminatorConfig,
  type GeneratorConfig,
  networksSchema,
  type Parameter,
  parameterCount,
  readWeights,
  type Tensor,
} from '@cyclegan/model';
import { CycleganError, parseManifest } from '@cyclegan/runtime-core';
import type { RunConfig, RunOptions } from './config/index.js';
import type { EngineState } from './engine.js';
import { groupBuffers, groupNames, groupParameters } from './step/state.js';

/** Weights to begin with, and the networks that they belong to. */
export interface InitialWeights {
  path: string;
  generator: GeneratorConfig;
  /** Absent from bundles. */
  discriminator: DiscriminatorConfig | undefined;
  /** By the reference's names behind the network's: `G_A.model.1.weight`. */
  weights: ReadonlyMap<string, Tensor>;
}

/**
 * @param path a run folder, a checkpoint's folder, a weights file, or a bundle
 * @throws CycleganError `run` or `bundle` for what is none of these, or damaged
 */
export async function readInitialWeights(
  path: string,
  onWarning: (message: string) => void,
): Promise<InitialWeights> {
  if (await isFile(join(path, 'manifest.json'))) return readBundle(path);
  const { weights, metadata } = await readWeights(path, { onWarning });
  const networks = networksSchema.safeParse(parseJson(metadata['networks']));
  if (!networks.success) {
    throw new CycleganError(
      'bundle',
      `[train] init-from, ${path}: expected weights that say what networks they belong to, got none. Take a checkpoint of \`cyclegan train\`.`,
      { cause: networks.error },
    );
  }
  return { path, ...networks.data, weights };
}

async function readBundle(path: string): Promise<InitialWeights> {
  const manifest = parseManifest(parseJson(await readFile(join(path, 'manifest.json'), 'utf8')), path);
  const { generator } = manifest.networks;
  if (!generator) {
    throw new CycleganError(
      'bundle',
      `[train] init-from, ${path}: expected a bundle of one of the reference's generators, got another model's. Take a checkpoint or a bundle of \`cyclegan train\`.`,
    );
  }
  const weights = new Map<string, Tensor>();
  for (const { direction, precision, file, bytes } of manifest.models) {
    if (precision !== 'fp32') continue;
    const network = direction === 'AtoB' ? 'G_A' : 'G_B';
    const place = join(path, file);
    if (!(await isFile(place)) || (await stat(place)).size !== bytes) throw noWeights(path);
    const { nodes } = readOnnx(await readFile(place)).graph;
    if (generator.norm === 'batch' && !nodes.some(({ op }) => op.name === 'BatchNormalization')) {
      throw new CycleganError(
        'bundle',
        `[train] init-from, ${path}: expected weights as training keeps them, got a bundle with its batch normalisation folded into its convolutions. Take the run or checkpoint that it was exported from.`,
      );
    }
    for (const { inputs } of nodes) {
      for (const value of inputs) {
        const constant = value?.constant;
        if (constant?.data instanceof Float32Array) {
          weights.set(`${network}.${value?.name}`, { shape: constant.shape, data: constant.data });
        }
      }
    }
  }
  if (weights.size === 0) throw noWeights(path);
  return { path, generator, discriminator: undefined, weights };
}

/** What the source says of the networks, as options below a user's own. */
export function initialOptions({ generator, discriminator }: InitialWeights): RunOptions {
  const { ngf, norm, dropout, upsample, inputChannels, outputChannels } = generator;
  const unet = { 7: 'unet_128', 8: 'unet_256' } as const;
  return {
    generator: generator.kind === 'resnet' ? 'resnet' : (unet[generator.downs as 7 | 8] ?? 'unet'),
    ...(generator.kind === 'resnet' ? { blocks: generator.blocks } : {}),
    ngf,
    norm,
    dropout,
    upsample,
    channelsA: inputChannels,
    channelsB: outputChannels,
    ...(discriminator
      ? {
          ndf: discriminator.ndf,
          ...(discriminator.kind === 'pixel'
            ? { discriminator: 'pixel' }
            : { discriminator: 'n_layers', dLayers: discriminator.layers }),
        }
      : {}),
  };
}

/**
 * Puts the weights in the place of drawn ones; networks of which the source holds nothing keep those.
 * @returns the state, and which networks it took over
 * @throws CycleganError `usage` where they do not fit
 */
export function applyInitialWeights(
  state: EngineState,
  { networks }: Pick<RunConfig, 'networks'>,
  initial: InitialWeights,
): { state: EngineState; taken: string[] } {
  const taken = new Set<string>();
  const known = new Set([...initial.weights.keys()].map((name) => name.split('.')[0] ?? ''));
  const fill = (parts: readonly Parameter[], drawn: Float32Array) => {
    const flat = drawn.slice();
    let at = 0;
    for (const part of parts) {
      const size = parameterCount([part]);
      const network = part.name.split('.')[0] ?? '';
      const given = initial.weights.get(part.name);
      if (given && given.shape.join() !== part.shape.join()) throw misfit(initial, part, given);
      if (given) {
        flat.set(given.data, at);
        taken.add(network);
      } else if (known.has(network)) {
        // Exported generators are without the biases that normalisation takes away again.
        if (part.role !== 'bias') throw misfit(initial, part, given);
        flat.fill(0, at, at + size);
      }
      at += size;
    }
    return flat;
  };
  const groups = { ...state.groups };
  for (const group of groupNames) {
    const { parameters, buffers } = groups[group];
    groups[group] = {
      ...groups[group],
      parameters: fill(groupParameters(networks, group), parameters),
      buffers: fill(groupBuffers(networks, group), buffers),
    };
  }
  return { state: { ...state, groups }, taken: [...taken] };
}

function misfit({ path }: InitialWeights, part: Parameter, given: Tensor | undefined): CycleganError {
  const got = given ? `[${given.shape.join(', ')}]` : 'none';
  return new CycleganError(
    'usage',
    `[train] init-from, ${path}: expected ${part.name} of [${part.shape.join(', ')}], got ${got}. Leave out the options that change the networks.`,
  );
}

function noWeights(path: string): CycleganError {
  return new CycleganError(
    'bundle',
    `[train] init-from, ${path}: expected a bundle with fp32 weights, got none that can be read. Export one with fp32, or take a checkpoint.`,
  );
}

function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}
