/** The engine that runs on TensorFlow.js: what is loaded, how graphs are interpreted, and training with it. */
export { createTfjsEngine } from './engine.js';
export type { Load } from './load.js';
