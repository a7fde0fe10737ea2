/**
 * The entry for programs without Node: generators that were just trained as a bundle in memory, by the code that
 * bundles on disk are made with. Reads and writes no files; what runs the graphs is the caller's.
 */
import type { Tensor } from '@cyclegan/model';
import type { GeneratorConfig } from '@cyclegan/model/networks';
import { type Direction, type Manifest, throwIfAborted } from '@cyclegan/runtime-core';
import { memoryOf } from './bundle/graph-memory.js';
import { makeManifest } from './bundle/manifest.js';
import { endsOf, fileBytes, fileFields, UNMEASURED } from './bundle/model-file.js';
import { prepareModel } from './bundle/prepare-model.js';
import { askForPatch, makeSelfCheck } from './bundle/self-check.js';
import { evaluator, lend, type OpenSession, planesRunner } from './ort/graph-session.js';
import { planesOf, tensorOf } from './ort/planes.js';
import { runCheckpoint } from './source/checkpoint-run.js';
import { directed, type GeneratorOptions, generatorGraph } from './source/generator-graph.js';

export type { GraphSession, OpenSession, OptimizationLevel } from './ort/graph-session.js';

export interface MemoryBundleOptions extends Pick<Manifest, 'name' | 'licence' | 'training'> {
  /** G_A's. */
  config: GeneratorConfig;
  /** Of both generators, under a checkpoint's keys: `G_A.model.1.weight`. Not to be changed meanwhile. */
  weights: ReadonlyMap<string, Tensor>;
  /** What constants are computed with, and the self-checks. */
  openSession: OpenSession;
  /** 64 lower-case hex digits. */
  sha256: (bytes: Uint8Array) => string;
  signal?: AbortSignal | undefined;
}

export interface MemoryBundle {
  manifest: Manifest;
  /** The ONNX files by name; the manifest is not among them. */
  files: ReadonlyMap<string, Uint8Array>;
}

/**
 * Both directions in fp32, each with its self-check: the answer of the network as it was trained, its weights fed as
 * inputs.
 * @throws CycleganError `bundle` for weights that do not fit the network, or that answer with no numbers; `aborted`
 */
export async function bundleInMemory(options: MemoryBundleOptions): Promise<MemoryBundle> {
  const { name, licence, training } = options;
  const made = [await bundleDirection(options, 'AtoB'), await bundleDirection(options, 'BtoA')];
  return {
    manifest: makeManifest({
      name,
      licence,
      provenance: null,
      training,
      exported: made.map(({ entries }) => entries),
    }),
    files: new Map(made.map(({ file, bytes }) => [file, bytes])),
  };
}

async function bundleDirection(options: MemoryBundleOptions, direction: Direction) {
  const { name, licence, openSession, signal } = options;
  throwIfAborted(signal, '[export] bundle');
  const range = [-1, 1] as const;
  const where = `${name}, ${direction}`;
  const source: GeneratorOptions = { config: options.config, weights: options.weights, direction };
  const graph = generatorGraph(source);
  const model = await prepareModel({ graph }, { range, where, evaluate: evaluator(openSession), signal });
  const bytes = fileBytes(model.graph, { name, licence, direction, details: { range } });
  const patch = await askForPatch(
    model,
    async (planes) => planesOf(await runCheckpoint(source, tensorOf(planes), openSession)),
    where,
  );
  const ends = endsOf(model.graph, model);
  const selfCheck = await lend(await openSession(bytes, 'disabled'), (run) =>
    makeSelfCheck({ ...model, precision: 'fp32' }, patch, planesRunner(run, ends.input.name), where),
  );
  const file = `${direction}.fp32.onnx`;
  const fields = fileFields(
    bytes,
    { direction, precision: 'fp32', file, sha256: options.sha256(bytes) },
    model,
  );
  return {
    file,
    bytes,
    entries: {
      models: [{ ...fields, ...ends, selfCheck, memory: memoryOf(model.graph, model), ...UNMEASURED }],
      variants: [],
      config: directed(source),
    },
  };
}
