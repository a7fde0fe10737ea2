export * from './errors.js';
export * from './manifest.js';
export * from './translator.js';
