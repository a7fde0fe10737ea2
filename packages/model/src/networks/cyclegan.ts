/**
 * The four networks of a CycleGAN under the reference's names: G_A maps A to B and D_A judges B; G_B maps B to A
 * and D_B judges A.
 */
import { type NetworksConfig, reversed } from './config.js';
import { discriminatorNetwork } from './discriminator.js';
import { generatorNetwork } from './generator.js';
import type { Parameter } from './layers.js';
import type { Network } from './network.js';

/** G_A: A → B, G_B: B → A. */
export const generatorNames = ['G_A', 'G_B'] as const;
/** D_A judges B, D_B judges A. */
export const discriminatorNames = ['D_A', 'D_B'] as const;
export type NetworkName = (typeof generatorNames)[number] | (typeof discriminatorNames)[number];

/** The four by name. */
export type Networks = Readonly<Record<NetworkName, Network>>;

/** @param config one generator and one discriminator architecture, used in both directions */
export function cycleganNetworks({ generator, discriminator }: NetworksConfig): Networks {
  return {
    G_A: generatorNetwork(generator),
    G_B: generatorNetwork(reversed(generator)),
    D_A: discriminatorNetwork(discriminator, generator.outputChannels),
    D_B: discriminatorNetwork(discriminator, generator.inputChannels),
  };
}

/** The parameters of some networks in one order, each name with its network's in front: `G_A.model.1.weight`. */
export function namedParameters(networks: Networks, names: readonly NetworkName[]): Parameter[] {
  return named(networks, names, 'parameters');
}

/** The buffers likewise: `G_A.model.2.running_mean`; none without batch norm. */
export function namedBuffers(networks: Networks, names: readonly NetworkName[]): Parameter[] {
  return named(networks, names, 'buffers');
}

function named(
  networks: Networks,
  names: readonly NetworkName[],
  which: 'parameters' | 'buffers',
): Parameter[] {
  return names.flatMap((network) =>
    networks[network][which].map((each) => ({ ...each, name: `${network}.${each.name}` })),
  );
}

/** Numbers in all of the parameters together. */
export function parameterCount(parameters: readonly Parameter[]): number {
  return parameters.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
}
