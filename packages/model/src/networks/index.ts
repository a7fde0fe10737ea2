/** The networks, their names and sizes. */
export * from './config.js';
export * from './cyclegan.js';
export { discriminatorMinSize, patchDiscriminator } from './discriminator.js';
export { MIN_SIZE, resnetGenerator, SIZE_MULTIPLE } from './generator.js';
export { initialWeights } from './init.js';
export type { Parameter, Weights } from './layers.js';
export type { Network } from './network.js';
