/**
 * From a PyTorch .pth of the reference's networks to a generator as a graph, or a discriminator's weights. The file
 * is data alone: nothing in it is run, whatever it says.
 */
import { basename, extname } from 'node:path';
import type { DiscriminatorConfig, Tensor } from '@cyclegan/model';
import type { Direction } from '@cyclegan/runtime-core';
import type { Imported } from '../imported.js';
import type { Architecture } from './architectures.js';
import { type Choice, choose, directionOf } from './choose.js';
import { type NetworkOptions, networkGraph, networkReference } from './network-graph.js';
import { withContents } from './read-file.js';
import { stateDictsIn } from './state-dicts.js';
import { readTensors } from './tensors.js';

export interface ImportPyTorchOptions {
  /** The network's name in a file of several, `netG_A`, or what it ends in. Default: the only one that fits. */
  key?: string | undefined;
  /** Of several generators that whose name says so; and what the result's direction is. Default: what names say. */
  direction?: Direction | undefined;
}

export interface ImportedPyTorch extends Imported {
  readonly kind: 'pytorch';
  readonly network: 'generator';
  /** Its name in the file; empty where the file holds nothing around it. */
  readonly name: string;
  /** As the caller said, else as the network's or the file's name says: G_A leads from A to B. Null where none does. */
  readonly direction: Direction | null;
  /** By the reference's keys, `model.1.weight`, float32. The caller's, and the graph's: not to be changed. */
  readonly weights: ReadonlyMap<string, Tensor>;
}

/** A discriminator of a PyTorch file, for training to go on with. */
export interface ImportedDiscriminator {
  readonly network: 'discriminator';
  readonly name: string;
  readonly config: DiscriminatorConfig;
  readonly inputChannels: 1 | 3;
  /** By the reference's keys, `model.0.weight`, float32. The caller's own. */
  readonly weights: ReadonlyMap<string, Tensor>;
}

/**
 * Reads a generator: resnet or unet, any size, with instance, batch or no norm; float32, float64, float16, bfloat16 or
 * integers; zip or legacy container; alone in the file or in a dictionary. What instance norm kept before PyTorch 0.4
 * is dropped, as the reference does. `config` is the network's own, from its input to its output; null where its
 * instance norm has weights, which the reference's has not. Dropout in a unet cannot be seen, and is said to be off.
 * Takes memory for the weights as float32 once.
 * @param path a file
 * @throws CycleganError `bundle` for a file that is missing, damaged, or holds another network, saying what does not
 * fit key by key; `usage` for a `key` that is not there, and where several networks fit
 */
export async function importPyTorch(
  path: string,
  options: ImportPyTorchOptions = {},
): Promise<ImportedPyTorch> {
  const { name, architecture, weights } = await readNetwork(path, 'generator', options);
  const { config, affine } = architecture;
  const file = basename(path, extname(path));
  const direction = options.direction ?? directionOf(name) ?? directionOf(file);
  const network: NetworkOptions = { config, affine, weights, direction: direction ?? 'AtoB' };
  return {
    kind: 'pytorch',
    network: 'generator',
    name,
    direction,
    graph: networkGraph(network),
    layout: 'NCHW',
    config: affine.length === 0 ? config : null,
    weights,
    openReference: async () => networkReference(network),
  };
}

/**
 * Reads a discriminator: PatchGAN of any number of layers, or pixel.
 * @throws CycleganError as {@link importPyTorch}
 */
export async function importPyTorchDiscriminator(
  path: string,
  options: Pick<ImportPyTorchOptions, 'key'> = {},
): Promise<ImportedDiscriminator> {
  const { name, architecture, weights } = await readNetwork(path, 'discriminator', options);
  const { config, inputChannels } = architecture;
  return { network: 'discriminator', name, config, inputChannels, weights };
}

type Of<Role extends Architecture['role']> = Extract<Architecture, { role: Role }>;

function readNetwork<Role extends Architecture['role']>(
  path: string,
  role: Role,
  choice: Choice,
): Promise<{ name: string; architecture: Of<Role>; weights: ReadonlyMap<string, Tensor> }> {
  return withContents(path, async (contents) => {
    const { name, fit } = choose(stateDictsIn(contents.root), role, choice, path);
    const weights = await readTensors(contents, fit.views);
    return { name, architecture: fit.architecture as Of<Role>, weights };
  });
}
