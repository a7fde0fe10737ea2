/** CycleGAN's networks as graph functions, and the checkpoint on disk. */
export * from './checkpoint/index.js';
export * from './networks/index.js';
