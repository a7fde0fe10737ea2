/**
 * The bundle's `manifest.json`: what ships beside the ONNX files, and the schema that everything read from
 * outside passes. Knows no file system and no network: callers hand in the parsed JSON.
 */
import { z } from 'zod';
import { CycleganError } from './errors.js';
import { generatorSchema } from './generator.js';

/** The manifest version this code writes, and the newest it reads. */
export const MANIFEST_VERSION = 1;

export const directionSchema = z.enum(['AtoB', 'BtoA']);
export const precisionSchema = z.enum(['fp32', 'fp16', 'int8']);
/** AtoB is the reference's G_A (domain A in, domain B out), BtoA its G_B. */
export type Direction = z.infer<typeof directionSchema>;
export type Precision = z.infer<typeof precisionSchema>;

const count = z.number().int().positive();

/** A plain name beside the manifest: no separator, no `..`, so that a hostile bundle cannot point elsewhere. */
const fileName = z
  .string()
  .max(255)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*\.onnx$/, 'a plain *.onnx file name without a folder');

/** Base64 of little-endian float32 in NCHW order; bounded, because it is decoded into memory. */
const floats = z
  .string()
  .max(4_000_000)
  .regex(/^[A-Za-z0-9+/]*={0,2}$/, 'base64');

const tensorSchema = z.object({
  name: z.string().min(1).max(200),
  layout: z.literal('NCHW'),
  dtype: z.literal('float32'),
  channels: z.union([z.literal(1), z.literal(3)]),
  /** Values of black and white. */
  range: z.tuple([z.literal(-1), z.literal(1)]),
});

/** An image smaller than the model takes is padded and its answer cropped, as in any translation. */
const selfCheckSchema = z.object({
  width: count.max(512),
  height: count.max(512),
  /** The patch that goes in, [1, channels, height, width]. */
  input: floats,
  /** What the checkpoint's own graph answered on the CPU, [1, channels, height, width]. */
  output: floats,
  /** The largest absolute difference on [-1, 1] that a sound provider may show. */
  tolerance: z.number().positive().max(1),
});

const modelSchema = z.object({
  direction: directionSchema,
  precision: precisionSchema,
  file: fileName,
  bytes: count.max(2 ** 31 - 1),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, '64 hex digits'),
  opset: count,
  irVersion: count,
  input: tensorSchema,
  output: tensorSchema,
  /** Height and width must be multiples of this; runtimes pad by reflection and crop. */
  sizeMultiple: count.max(1024),
  /** The smallest height and width that the network's reflection padding allows. */
  minSize: count.max(4096),
  selfCheck: selfCheckSchema,
});

export const manifestSchema = z.object({
  format: z.literal('cyclegan-bundle'),
  version: z.literal(MANIFEST_VERSION),
  name: z.string().min(1).max(200),
  /** SPDX expression of the weights' licence, as the maker of the bundle stated it. */
  licence: z.string().max(200).nullable(),
  createdBy: z.object({ tool: z.string().max(200), version: z.string().max(50) }),
  createdAt: z.iso.datetime(),
  networks: z.object({ generator: generatorSchema }),
  /** Facts of the training run; null for weights whose history is unknown. */
  training: z
    .object({
      steps: z.number().int().nonnegative(),
      size: count,
      batch: count,
      seed: z.number().int(),
      imagesA: z.number().int().nonnegative(),
      imagesB: z.number().int().nonnegative(),
    })
    .nullable(),
  models: z.array(modelSchema).min(1).max(64),
});

export type Manifest = z.infer<typeof manifestSchema>;
export type ModelEntry = Manifest['models'][number];
export type SelfCheck = ModelEntry['selfCheck'];

/**
 * Checks parsed JSON against the schema.
 * @param json what `JSON.parse` gave; anything at all
 * @param where the bundle's path or URL, for the message
 * @throws CycleganError `bundle`: another format, a newer version, or the first field that does not fit
 */
export function parseManifest(json: unknown, where: string): Manifest {
  const head = z.object({ format: z.literal('cyclegan-bundle'), version: z.number() }).safeParse(json);
  if (!head.success) {
    throw new CycleganError(
      'bundle',
      `[bundle] ${where}: expected a manifest of format "cyclegan-bundle", got something else. Point at a folder that \`cyclegan export\` wrote.`,
    );
  }
  if (head.data.version > MANIFEST_VERSION) {
    throw new CycleganError(
      'bundle',
      `[bundle] ${where}: expected manifest version ${MANIFEST_VERSION} or older, got ${head.data.version}. Update the runtime, or export again with this one.`,
    );
  }
  const parsed = manifestSchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const field = issue?.path.join('.') || 'manifest';
    throw new CycleganError(
      'bundle',
      `[bundle] ${where}: manifest field ${field} is not valid (${issue?.message ?? 'unknown'}). Export the bundle again.`,
      { cause: parsed.error },
    );
  }
  return parsed.data;
}

/**
 * The entry for a direction and precision. Without a direction the bundle must hold one only, or AtoB is taken;
 * without a precision, fp32 is taken where it is there, else the first.
 * @throws CycleganError `bundle` naming what the bundle holds
 */
export function selectModel(
  manifest: Manifest,
  want: { direction?: Direction | undefined; precision?: Precision | undefined },
): ModelEntry {
  const directions = [...new Set(manifest.models.map((model) => model.direction))];
  const direction = want.direction ?? (directions.includes('AtoB') ? 'AtoB' : directions[0]);
  const candidates = manifest.models.filter((model) => model.direction === direction);
  const found = want.precision
    ? candidates.find((model) => model.precision === want.precision)
    : (candidates.find((model) => model.precision === 'fp32') ?? candidates[0]);
  if (!found) {
    const held = manifest.models.map((model) => `${model.direction} ${model.precision}`).join(', ');
    throw new CycleganError(
      'bundle',
      `[bundle] ${manifest.name}: expected a model ${direction ?? ''} ${want.precision ?? ''}, got a bundle that holds ${held}. Choose one of those, or export again.`,
    );
  }
  return found;
}
