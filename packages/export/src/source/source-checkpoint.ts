/** A run folder, a checkpoint or a weights file of this tool as a source. Builds no bundle. */
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type GeneratorConfig, networksSchema, readWeights, type Tensor } from '@cyclegan/model';
import { CycleganError, type Direction, type Manifest, manifestSchema } from '@cyclegan/runtime-core';
import { z } from 'zod';
import type { Imported } from '../import/imported.js';
import { openCpuSession } from '../ort/session.js';
import { parseJson } from '../parse-json.js';
import { runCheckpoint } from './checkpoint-run.js';
import { checkWeights, directed, type GeneratorOptions, generatorGraph } from './generator-graph.js';

export interface CheckpointSource {
  /** The step folder or the file that was read. */
  readonly path: string;
  /** The file of weights itself. */
  readonly file: string;
  /** G_A's. */
  readonly config: GeneratorConfig;
  /** Null for weights whose history is unknown. */
  readonly training: Manifest['training'];
  /** Folders of the images that it was trained on, as far as they are there. */
  readonly pictures: Readonly<Partial<Record<Direction, string>>>;
  open(direction: Direction): Imported;
}

/**
 * @param onWarning told in one sentence when a damaged checkpoint is passed over for an older one
 * @throws CycleganError `run` for a folder without a checkpoint, `bundle` for damaged weights or metadata
 */
export async function readCheckpointSource(
  source: string,
  onWarning: ((message: string) => void) | undefined,
): Promise<CheckpointSource> {
  const { weights, metadata, path } = await readWeights(source, { onWarning });
  const networks = fromMetadata(networksSchema, metadata['networks'], 'networks', path);
  const training =
    metadata['training'] === undefined
      ? null
      : fromMetadata(manifestSchema.shape.training, metadata['training'], 'training', path);
  const config = networks.generator;
  return {
    path,
    file: (await isFolder(path)) ? join(path, 'weights.safetensors') : path,
    config,
    training,
    pictures: await trainingPictures(path),
    open: (direction) => importCheckpoint({ config, weights, direction }, path),
  };
}

/** What the run's config.json says of its folders, which it names as training was given them. */
async function trainingPictures(step: string): Promise<CheckpointSource['pictures']> {
  const folder = dirname(step);
  if (basename(folder) !== 'checkpoints') return {};
  const text = await readFile(join(dirname(folder), 'config.json'), 'utf8').catch(() => '');
  const config = z.object({ a: z.string(), b: z.string() }).safeParse(parseJson(text));
  if (!config.success) return {};
  const { a, b } = config.data;
  return { ...((await isFolder(a)) && { AtoB: a }), ...((await isFolder(b)) && { BtoA: b }) };
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

function importCheckpoint(options: GeneratorOptions, where: string): Imported {
  checkWeights(options, where);
  return {
    kind: 'checkpoint',
    graph: generatorGraph(options),
    layout: 'NCHW',
    config: directed(options),
    openReference: async () => ({
      what: 'the checkpoint, its weights fed to its network',
      run: (image: Tensor) => runCheckpoint(options, image, openCpuSession),
      dispose: async () => undefined,
    }),
  };
}

function fromMetadata<T>(schema: z.ZodType<T>, text: string | undefined, key: string, path: string): T {
  const parsed = schema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const got = text === undefined ? 'none' : `one that does not fit at "${issue?.path.join('.') || key}"`;
  throw new CycleganError(
    'bundle',
    `[export] ${path}: expected the metadata "${key}" of \`cyclegan train\`, got ${got}. Take another checkpoint.`,
    { cause: parsed.error },
  );
}
