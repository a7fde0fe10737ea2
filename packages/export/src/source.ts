/**
 * Where a bundle comes from: the weights of a run folder, a checkpoint or a weights file, and what their metadata
 * say of the networks and the training. Builds no graph.
 */
import { basename, dirname, extname, resolve } from 'node:path';
import { type GeneratorConfig, networksSchema, readWeights, type Tensor } from '@cyclegan/model';
import { CycleganError, type Manifest, manifestSchema } from '@cyclegan/runtime-core';
import type { z } from 'zod';

export interface Source {
  /** The step folder or the file that was read; for messages only. */
  readonly path: string;
  /** A name for people, without folders. */
  readonly name: string;
  readonly config: GeneratorConfig;
  /** By the reference's keys behind the network's name: `G_A.model.1.weight`. */
  readonly weights: ReadonlyMap<string, Tensor>;
  /** Null for weights whose history is unknown. */
  readonly training: Manifest['training'];
}

/** Kinds of files that are models, but not of this tool. */
const foreignKinds = new Map([
  ['.pth', 'a PyTorch file'],
  ['.pt', 'a PyTorch file'],
  ['.json', 'a TensorFlow.js model'],
  ['.onnx', 'an ONNX file'],
]);

/**
 * Reads a run folder (its latest good checkpoint), a checkpoint's folder, or a weights file.
 * @param onWarning told in one sentence when a damaged checkpoint is passed over for an older one
 * @throws CycleganError `usage` for a kind of file that cannot be read yet, `run` for a folder without a checkpoint,
 * `bundle` for damaged weights or metadata
 */
export async function readSource(
  source: string,
  onWarning: ((message: string) => void) | undefined,
): Promise<Source> {
  const kind = foreignKinds.get(extname(source).toLowerCase());
  if (kind !== undefined) {
    throw new CycleganError(
      'usage',
      `[export] ${source}: expected a run folder, a checkpoint or a weights.safetensors, got ${kind}, which cannot be read yet. Export from a run of \`cyclegan train\`.`,
    );
  }
  const { weights, metadata, path } = await readWeights(source, { onWarning });
  const networks = fromMetadata(networksSchema, metadata['networks'], 'networks', path);
  const training =
    metadata['training'] === undefined
      ? null
      : fromMetadata(manifestSchema.shape.training, metadata['training'], 'training', path);
  return { path, name: nameOf(source), config: networks.generator, weights, training };
}

function fromMetadata<T>(schema: z.ZodType<T>, text: string | undefined, key: string, path: string): T {
  let json: unknown;
  try {
    json = JSON.parse(text ?? '');
  } catch {
    json = undefined;
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const got = text === undefined ? 'none' : `one that does not fit at "${issue?.path.join('.') || key}"`;
  throw new CycleganError(
    'bundle',
    `[export] ${path}: expected the metadata "${key}" of \`cyclegan train\`, got ${got}. Take another checkpoint.`,
    { cause: parsed.error },
  );
}

/** `runs/monet` → monet, `runs/monet/checkpoints/500` → monet-500, `mine.safetensors` → mine. */
function nameOf(source: string): string {
  const path = resolve(source);
  if (basename(path) === 'weights.safetensors') return nameOf(dirname(path));
  const parent = dirname(path);
  const name =
    basename(parent) === 'checkpoints'
      ? `${basename(dirname(parent))}-${basename(path)}`
      : basename(path, '.safetensors');
  return name.slice(0, 200) || 'model';
}
