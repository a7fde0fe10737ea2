/**
 * From weights to a bundle: for each direction an ONNX file and its entry in the manifest. What is in the files is
 * generator-graph.ts's, where they go bundle-folder.ts's.
 */
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { IR_VERSION, OPSET, writeOnnx } from '@cyclegan/graph';
import { minSize, sizeMultiple } from '@cyclegan/model';
import {
  CycleganError,
  type Direction,
  MANIFEST_VERSION,
  type Manifest,
  type ModelEntry,
  manifestSchema,
  type Precision,
  throwIfAborted,
} from '@cyclegan/runtime-core';
import { replaceBundle } from './bundle-folder.js';
import { checkWeights, directed, generatorGraph, INPUT_NAME, OUTPUT_NAME } from './generator-graph.js';
import { makeSelfCheck } from './self-check.js';
import { readSource, type Source } from './source.js';
import { TOOL, toolVersion } from './version.js';

/** How far a piece of work is: `done` of `total` parts are finished, and `what` is begun. */
export interface Progress {
  done: number;
  total: number;
  what: string;
}

export interface ExportOptions {
  /** A run folder (its latest checkpoint), a checkpoint's folder, or a weights file. */
  source: string;
  /** The bundle's folder. An older bundle there is replaced; anything else is left alone. */
  out: string;
  /** Default `both`. */
  direction?: Direction | 'both' | undefined;
  /** Default `['fp32']`, and nothing else yet. */
  precision?: readonly Precision[] | undefined;
  /** 1 to 200 characters; default: that of the run or the file. */
  name?: string | undefined;
  /** SPDX expression of the weights' licence; default: none stated. */
  licence?: string | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
  /** Told in one sentence when a damaged checkpoint is passed over for an older one. */
  onWarning?: ((message: string) => void) | undefined;
}

export interface ExportResult {
  /** The bundle's folder, as it was given. */
  bundle: string;
  manifest: Manifest;
  /** Paths of the files written, the manifest last. */
  files: string[];
}

/**
 * Writes a bundle. Until it is whole, nothing at `out` changes.
 * @throws CycleganError `usage` (an option, a kind of source), `run` and `bundle` (the source), `output`, `aborted`
 */
export async function exportBundle(options: ExportOptions): Promise<ExportResult> {
  const { out, signal, onProgress } = options;
  checkOptions(options);
  throwIfAborted(signal, '[export] bundle');
  const directions: Direction[] =
    options.direction === undefined || options.direction === 'both' ? ['AtoB', 'BtoA'] : [options.direction];
  const source = await readSource(options.source, options.onWarning);
  for (const direction of directions) checkWeights({ ...source, direction }, source.path);

  const facts = { name: options.name ?? source.name, licence: options.licence ?? null };
  const total = directions.length;
  const models: ModelEntry[] = [];
  const manifest = await replaceBundle(out, async (folder) => {
    const advance = async (what: string) => {
      // onnxruntime holds up the thread; the request to stop comes in between.
      await setImmediate();
      throwIfAborted(signal, '[export] bundle');
      onProgress?.({ done: models.length, total, what });
    };
    for (const direction of directions) {
      await advance(direction);
      const { entry, bytes } = await makeModel(source, direction, facts);
      await writeFile(join(folder, entry.file), bytes, { flush: true });
      models.push(entry);
    }
    await advance('manifest.json');
    const made = makeManifest(source, facts, models);
    const text = `${JSON.stringify(made, null, 2)}\n`;
    await writeFile(join(folder, 'manifest.json'), text, { flush: true });
    return made;
  });
  const files = [...models.map(({ file }) => file), 'manifest.json'].map((file) => join(out, file));
  return { bundle: out, manifest, files };
}

type Facts = Pick<Manifest, 'name' | 'licence'>;

function checkOptions({ precision = ['fp32'], name, licence }: ExportOptions): void {
  const wrong = (what: string, expected: string, got: string) =>
    new CycleganError('usage', `[export] ${what}: expected ${expected}, got ${got}. Choose another value.`);
  if (precision.join() !== 'fp32') {
    throw wrong('precision', 'fp32', `${precision.join() || 'none'}, which cannot be exported yet`);
  }
  const { shape } = manifestSchema;
  if (name !== undefined && !shape.name.safeParse(name).success) {
    throw wrong('name', '1 to 200 characters', `${name.length}`);
  }
  if (licence !== undefined && !shape.licence.safeParse(licence).success) {
    throw wrong('licence', 'at most 200 characters', `${licence.length}`);
  }
}

async function makeModel(
  source: Source,
  direction: Direction,
  { name, licence }: Facts,
): Promise<{ entry: ModelEntry; bytes: Uint8Array }> {
  const generator = { ...source, direction };
  const selfCheck = await makeSelfCheck(generator, source.path);
  const version = toolVersion();
  const bytes = writeOnnx(generatorGraph(generator), {
    metadata: { name, direction, ...(licence === null ? {} : { licence }), tool: `${TOOL} ${version}` },
    producer: { name: TOOL, version },
  });
  const tensor = { layout: 'NCHW', dtype: 'float32', range: [-1, 1] } satisfies Partial<ModelEntry['input']>;
  const { inputChannels, outputChannels } = directed(generator);
  const entry: ModelEntry = {
    direction,
    precision: 'fp32',
    file: `${direction}.fp32.onnx`,
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    opset: OPSET,
    irVersion: IR_VERSION,
    input: { name: INPUT_NAME, channels: inputChannels, ...tensor },
    output: { name: OUTPUT_NAME, channels: outputChannels, ...tensor },
    sizeMultiple: sizeMultiple(source.config),
    minSize: minSize(source.config),
    selfCheck,
  };
  return { entry, bytes };
}

function makeManifest({ config, training }: Source, facts: Facts, models: ModelEntry[]): Manifest {
  return {
    format: 'cyclegan-bundle',
    version: MANIFEST_VERSION,
    ...facts,
    createdBy: { tool: TOOL, version: toolVersion() },
    createdAt: new Date().toISOString(),
    networks: { generator: config },
    training,
    models,
  };
}
