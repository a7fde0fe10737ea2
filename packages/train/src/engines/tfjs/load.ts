/**
 * Finds TensorFlow.js: on a GPU, on TensorFlow's own CPU code, or in plain JavaScript, whichever is installed first in
 * that order. None of them is a dependency: their install scripts download hundreds of megabytes. Knows no training.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { CycleganError } from '@cyclegan/runtime-core';
import type * as tfjs from '@tensorflow/tfjs';

/** TensorFlow.js as a module, the same whichever package it came with. */
export type Tf = typeof tfjs;

/** Loads a package by its name, as Node's `require` does, or throws. */
export type Load = (name: string) => unknown;

/** TensorFlow.js, ready to compute, and where it does, in words. */
export interface LoadedTfjs {
  tf: Tf;
  device: string;
}

export interface LoadOptions {
  /** For TensorFlow, which reads it once for each process; default: all cores. */
  threads?: number | undefined;
  /** Called with one sentence when what is loaded is not the first choice. */
  onNote?: ((message: string) => void) | undefined;
  /** Default: from this package, then from the working directory. */
  load?: Load | undefined;
}

/** The fastest first. The last is what the others are built on, and comes with them. */
const candidates = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node', '@tensorflow/tfjs'] as const;

function open(name: (typeof candidates)[number], load: Load): LoadedTfjs {
  const tf = load(name) as Tf;
  if (name === '@tensorflow/tfjs') {
    // Else it greets every run with an advertisement for tfjs-node.
    tf.enableProdMode();
    tf.setBackend('cpu');
    return { tf, device: 'plain JavaScript' };
  }
  tf.setBackend('tensorflow');
  const { isUsingGpuDevice = false } = tf.backend() as { isUsingGpuDevice?: boolean };
  return { tf, device: `tensorflow (${isUsingGpuDevice ? 'gpu' : 'cpu'})` };
}

/**
 * Loads the first of tfjs-node-gpu, tfjs-node and tfjs (on its cpu backend) that works.
 * @throws CycleganError `device` when none does
 */
export function loadTfjs({ threads, onNote, load = requireFromHere }: LoadOptions): LoadedTfjs {
  if (threads !== undefined) {
    process.env['TF_NUM_INTRAOP_THREADS'] = String(threads);
    process.env['TF_NUM_INTEROP_THREADS'] = '1';
  }
  // TensorFlow reports its processor features, and each of its GPU libraries, on stderr.
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  const failures: string[] = [];
  for (const name of candidates) {
    try {
      const loaded = open(name, load);
      if (failures.length > 0) {
        onNote?.(`[train] engine tfjs: runs in ${loaded.device} (${name}), as ${failures.join(' and ')}.`);
      }
      return loaded;
    } catch (error) {
      failures.push(`${name} ${reason(error)}`);
    }
  }
  throw new CycleganError(
    'device',
    `[train] engine tfjs: expected TensorFlow.js, got none, as ${failures.join(', ')}. Install it with: npm install @tensorflow/tfjs-node`,
  );
}

/** Why a package could not be had, in a few words. */
function reason(error: unknown): string {
  const { code, message } = error as { code?: unknown; message?: unknown };
  const [line = ''] = String(message ?? error).split('\n');
  if (code === 'MODULE_NOT_FOUND' && line.includes("'@tensorflow/")) return 'is not installed';
  if (line.includes('tfjs_binding.node')) return 'has no native addon (its install script was not run)';
  return `failed (${line.replace(/\.$/, '')})`;
}

const requireFromHere: Load = (name) => {
  const here = createRequire(import.meta.url);
  try {
    return here(name);
  } catch (error) {
    // A package that was found but cannot load is no better elsewhere.
    if (found(here, name)) throw error;
    return createRequire(join(process.cwd(), 'package.json'))(name);
  }
};

function found(require: NodeJS.Require, name: string): boolean {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}
