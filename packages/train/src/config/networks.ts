/** The networks of a run from a user's options, by the reference's names for them. */
import {
  type DiscriminatorConfig,
  discriminatorMinSize,
  type GeneratorConfig,
  minSize,
  type NetworksConfig,
  sizeMultiple,
} from '@cyclegan/model/networks';
import { type RunOptions, wrong } from './options.js';
import type { Preset } from './presets.js';

/** @throws CycleganError `usage` where the size does not suit the networks */
export function resolveNetworks(options: RunOptions, preset: Preset, size: number): NetworksConfig {
  const networks: NetworksConfig = {
    generator: resolveGenerator(options, preset, size),
    discriminator: resolveDiscriminator(options, options.ndf ?? options.ngf ?? preset.ngf),
  };
  const multiple = sizeMultiple(networks.generator);
  const least = Math.max(minSize(networks.generator), discriminatorMinSize(networks.discriminator));
  if (size % multiple !== 0 || size < least) {
    throw wrong('size', `a multiple of ${multiple} from ${least} on with these networks`, size);
  }
  return networks;
}

function resolveGenerator(options: RunOptions, preset: Preset, size: number): GeneratorConfig {
  const { generator = 'resnet', channelsA = 3, channelsB = 3 } = options;
  const common = {
    ngf: options.ngf ?? preset.ngf,
    norm: options.norm ?? 'instance',
    dropout: options.dropout ?? false,
    upsample: options.upsample ?? 'transpose',
    inputChannels: channels('channels-a', channelsA),
    outputChannels: channels('channels-b', channelsB),
  } as const;
  if (generator.startsWith('resnet')) {
    const named = { resnet_6: 6, resnet_9: 9 }[generator as string];
    return { kind: 'resnet', blocks: named ?? options.blocks ?? preset.blocks, ...common };
  }
  const halvings = { unet_128: 7, unet_256: 8 }[generator as string];
  return { kind: 'unet', downs: halvings ?? unetDowns(size), ...common };
}

/** As often as the size can be halved, from the 5 that a unet has at least to the 8 of the reference's. */
function unetDowns(size: number): number {
  const halvings = 31 - Math.clz32(size & -size);
  return Math.min(Math.max(halvings, 5), 8);
}

function resolveDiscriminator(
  { discriminator = 'basic', norm = 'instance', dLayers = 3 }: RunOptions,
  ndf: number,
): DiscriminatorConfig {
  return discriminator === 'pixel'
    ? { kind: 'pixel', ndf, norm }
    : { kind: 'patch', ndf, layers: dLayers, norm };
}

function channels(name: string, given: number): 1 | 3 {
  if (given !== 1 && given !== 3) throw wrong(name, '1 (grey) or 3 (colour)', given);
  return given;
}
