/** The reference's generators, by kind. Output in [-1, 1], of the input's height and width. */
import type { GeneratorConfig } from './config.js';
import type { Network } from './network.js';
import { resnetGenerator } from './resnet.js';
import { unetGenerator } from './unet.js';

/** @param config from `inputChannels` to `outputChannels`, which is G_A; `reversed(config)` gives G_B */
export function generatorNetwork(config: GeneratorConfig): Network {
  return config.kind === 'unet' ? unetGenerator(config) : resnetGenerator(config);
}
