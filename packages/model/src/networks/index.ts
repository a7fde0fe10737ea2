/** The networks, their names and sizes. */
export type { Mode, Training, Weights } from './apply-layers.js';
export * from './config.js';
export * from './cyclegan.js';
export { discriminatorNetwork } from './discriminator.js';
export { generatorNetwork } from './generator.js';
export { initialWeights } from './init.js';
export type { Parameter } from './layers.js';
export type { Network } from './network.js';
