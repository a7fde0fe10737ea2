// Loaded before the command (node --import): any package that does work, or is slow to load, is refused.
import { register } from 'node:module';

const hooks = `
const heavy = /^(@cyclegan\\/|onnxruntime|sharp|zod|cli-progress)/;
export function resolve(specifier, context, next) {
  if (heavy.test(specifier)) throw new Error('loaded too early: ' + specifier);
  return next(specifier, context);
}`;

register(`data:text/javascript,${encodeURIComponent(hooks)}`);
