/**
 * The four networks of a CycleGAN under the reference's names: G_A maps A to B and D_A judges B; G_B maps B to A
 * and D_B judges A.
 */
import type { NetworksConfig } from './config.js';
import { patchDiscriminator } from './discriminator.js';
import { resnetGenerator } from './generator.js';
import type { Parameter } from './layers.js';
import type { Network } from './network.js';

/** G_A: A → B, G_B: B → A. */
export const generatorNames = ['G_A', 'G_B'] as const;
/** D_A judges B, D_B judges A. */
export const discriminatorNames = ['D_A', 'D_B'] as const;
export type NetworkName = (typeof generatorNames)[number] | (typeof discriminatorNames)[number];

/** The four by name; two of a kind may be the same object, as networks hold no weights. */
export type Networks = Readonly<Record<NetworkName, Network>>;

/** @param config one generator and one discriminator architecture, used in both directions */
export function cycleganNetworks(config: NetworksConfig): Networks {
  const generator = resnetGenerator(config.generator);
  const discriminator = patchDiscriminator(config.discriminator);
  return { G_A: generator, G_B: generator, D_A: discriminator, D_B: discriminator };
}

/** The parameters of some networks in one order, each name with its network's in front: `G_A.model.1.weight`. */
export function namedParameters(networks: Networks, names: readonly NetworkName[]): Parameter[] {
  return names.flatMap((network) =>
    networks[network].parameters.map((parameter) => ({ ...parameter, name: `${network}.${parameter.name}` })),
  );
}

/** Numbers in all of the parameters together. */
export function parameterCount(parameters: readonly Parameter[]): number {
  return parameters.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
}
