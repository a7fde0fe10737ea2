/**
 * A tfjs model.json: what it must look like, and which of the two kinds of model it holds. Reads no weights and knows
 * no operators.
 */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CycleganError } from '@cyclegan/runtime-core';
import { z } from 'zod';

/** Topologies are small: weights are in files of their own. */
const MAX_JSON_BYTES = 64 * 2 ** 20;

const size = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);

const quantizationSchema = z.looseObject({
  dtype: z.enum(['uint8', 'uint16', 'float16']),
  scale: z.number().optional(),
  min: z.number().optional(),
});

const weightSchema = z.looseObject({
  name: z.string(),
  shape: z.array(size).max(16),
  dtype: z.string(),
  quantization: quantizationSchema.optional(),
});

const modelSchema = z.looseObject({
  format: z.string().nullish(),
  modelTopology: z.looseObject({}),
  weightsManifest: z.array(
    z.looseObject({ paths: z.array(z.string().min(1)), weights: z.array(weightSchema) }),
  ),
  /** A GraphModel's inputs and outputs by the names of the SavedModel that it was. */
  signature: z.unknown().optional(),
  userDefinedMetadata: z.unknown().optional(),
});

export type WeightSpec = z.infer<typeof weightSchema>;
export type ModelJson = z.infer<typeof modelSchema>;

/** Graph models are TensorFlow graphs, layers models Keras configurations. */
export type TfjsKind = 'graph' | 'layers';

/** @throws CycleganError `bundle` saying what of the model `path` does not fit */
export function refuseModel(path: string, sentence: string, cause?: unknown): never {
  throw new CycleganError('bundle', `[export] ${path}: ${sentence}`, { cause });
}

/**
 * Reads model.json.
 * @param path the file, or the folder it lies in
 * @returns the file's path beside what it holds
 * @throws CycleganError `bundle` when it cannot be read, is too large, or is no tfjs model
 */
export async function readModelJson(
  path: string,
): Promise<{ file: string; json: ModelJson; kind: TfjsKind }> {
  const { file, text } = await readText(path);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    refuseModel(file, 'expected a tfjs model.json, got a file that is no JSON. Take another file.', cause);
  }
  const result = modelSchema.safeParse(parsed);
  if (!result.success) {
    const where = result.error.issues[0]?.path.join('.') || 'its top';
    const fix = 'Take the model.json that tensorflowjs_converter or model.save writes.';
    refuseModel(
      file,
      `expected a tfjs model.json, got one that does not fit at ${where}. ${fix}`,
      result.error,
    );
  }
  return { file, json: result.data, kind: kindOf(file, result.data) };
}

async function readText(path: string): Promise<{ file: string; text: string }> {
  try {
    const given = await stat(path);
    const file = given.isDirectory() ? join(path, 'model.json') : path;
    const found = given.isDirectory() ? await stat(file) : given;
    if (!found.isFile() || found.size > MAX_JSON_BYTES) {
      const got = found.isFile() ? `${found.size} bytes` : 'no file';
      refuseModel(file, `expected a file of at most ${MAX_JSON_BYTES} bytes, got ${got}. Take another file.`);
    }
    return { file, text: await readFile(file, 'utf8') };
  } catch (cause) {
    if (cause instanceof CycleganError) throw cause;
    const { code = 'an error' } = cause as { code?: string };
    return refuseModel(path, `expected a model.json that can be read, got ${code}. Check the path.`, cause);
  }
}

function kindOf(file: string, { format, modelTopology }: ModelJson): TfjsKind {
  if (Array.isArray(modelTopology['node'])) return 'graph';
  const keras = ['keras_version', 'model_config', 'class_name'].some((key) => key in modelTopology);
  if (keras) return 'layers';
  return refuseModel(
    file,
    `expected a graph model's nodes or a layers model's configuration, got neither${format ? ` in a file of format "${format.slice(0, 100)}"` : ''}. Convert the model again.`,
  );
}
