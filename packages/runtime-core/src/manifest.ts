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
/** In the order of their likeness to fp32. */
export const precisionSchema = z.enum(['fp32', 'fp16-weights', 'fp16', 'int8']);
/** AtoB is the reference's G_A (domain A in, domain B out), BtoA its G_B. */
export type Direction = z.infer<typeof directionSchema>;
/**
 * `fp16-weights` is half the file and computes in float32; `fp16` computes in half precision, for GPUs; `int8` computes
 * its convolutions in 8 bits, for CPUs. Inputs and outputs are float32 in all of them.
 */
export type Precision = z.infer<typeof precisionSchema>;

const count = z.number().int().positive();
/** Without what would move a terminal's cursor or break a sentence in two: these texts are shown. */
const text = z.string().regex(/^\P{Cc}*$/u, 'a text without control characters');
const name = text.min(1).max(200);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, '64 hex digits');

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
  name,
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
  /** The answer expected, [1, channels, height, width]: in fp32 the source's own, on the CPU. */
  output: floats,
  /** The largest absolute difference on [-1, 1] that a sound provider may show. */
  tolerance: z.number().positive().max(1),
});

/** How near a model's answers are to those of fp32, in dB for the range [-1, 1]. */
const qualitySchema = z.object({
  /** The mean over the images; 150 stands for no difference too. */
  psnr: z.number().min(0).max(150),
  /** The image that came out worst. */
  worst: z.number().min(0).max(150),
  images: count.max(1_000_000),
  /** `calibration` flatters: a model is nearest on the images that it was calibrated on. */
  of: z.enum(['held-out', 'calibration', 'synthetic']),
});

/** One measurement of a model beside fp32, in one process of the machine that exported it. */
const speedSchema = z.object({
  device: z.enum(['cpu', 'cuda', 'tensorrt', 'webgpu', 'wasm']),
  /** The time of fp32 over this model's: above 1 it is the faster one. It holds for machines of this kind alone. */
  ratio: z.number().positive().max(1000),
  /** Of the image measured, pixels. */
  width: count.max(16384),
  height: count.max(16384),
  threads: count.max(4096),
  /** The processor's or the adapter's name, for a runtime to tell whether the figure is about its own machine. */
  machine: text.max(200),
});

/** What every ONNX file's entry says of the file. */
const fileFields = {
  direction: directionSchema,
  precision: precisionSchema,
  file: fileName,
  bytes: count.max(2 ** 31 - 1),
  sha256,
  opset: count.max(1000),
  irVersion: count.max(1000),
  /** Height and width must be multiples of this; runtimes pad by reflection and crop. */
  sizeMultiple: count.max(1024),
  /** The smallest height and width that the network's reflection padding allows. */
  minSize: count.max(4096),
};

/** Told from the float32 graph. */
const memorySchema = z.object({
  /** Of the image, all tensors that are held at once; a runtime's allocator takes more. */
  bytesPerPixel: z.number().positive().max(1_000_000),
});

const modelSchema = z.object({
  ...fileFields,
  input: tensorSchema,
  output: tensorSchema,
  selfCheck: selfCheckSchema,
  /** Null where nothing was measured, as in fp32 itself. */
  quality: qualitySchema.nullable().default(null),
  /** At most one for each device; empty where nothing was measured. */
  speed: z.array(speedSchema).max(8).default([]),
  /** Null where it is not known: older bundles, and graphs whose sizes cannot be told. */
  memory: memorySchema.nullable().default(null),
});

/** An input or output of a variant, as the file has it. */
const interfaceSchema = z.object({
  name,
  dtype: z.enum(['float32', 'uint8']),
  /** Numbers where they are fixed; else a text, equal where the sizes are: `N`, `H`. */
  shape: z.array(z.union([count.max(2 ** 31 - 1), z.string().regex(/^[\x21-\x7e ]{1,200}$/)])).max(6),
  /** Where it is an image: the order of its axes, and the values of black and white. Null for statistics. */
  image: z
    .object({
      layout: z.enum(['NCHW', 'NHWC']),
      channels: z.union([z.literal(1), z.literal(3), z.literal(4)]),
      range: z.tuple([z.number(), z.number()]),
    })
    .nullable(),
});

/**
 * Another interface of a model of the same bundle, for programs that run the file themselves. `models` are what every
 * runtime runs: float32, NCHW, of any size, whole.
 */
const variantSchema = z.object({
  ...fileFields,
  /** `rgba8`: the bytes of a canvas, uint8 [N, H, W, 4], in and out; alpha is passed through. */
  io: z.enum(['float32', 'rgba8']),
  layout: z.enum(['NCHW', 'NHWC']),
  /** Where the file takes images of one size alone, in pixels. */
  size: z.object({ width: count.max(16384), height: count.max(16384) }).nullable(),
  /**
   * `statistics` returns the mean and variance of every InstanceNormalization for an image, float32 [N, 2, C]; `tile`
   * takes them beside a part of that image, so that all its parts are normalised alike.
   */
  part: z.enum(['whole', 'statistics', 'tile']),
  inputs: z.array(interfaceSchema).min(1).max(4),
  outputs: z.array(interfaceSchema).min(1).max(4),
  /** The C of the statistics, all normalised channels together; null in a whole. */
  statistics: count.max(1_000_000).nullable(),
});

/** Where the weights came from. */
const provenanceSchema = z.object({
  kind: z.enum(['run', 'checkpoint', 'pytorch', 'tfjs', 'onnx']),
  /** The file's or folder's own name, without the folders around it. */
  name: z
    .string()
    .max(255)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is kept out
    .regex(/^[^/\\\u0000-\u001f\u007f]+$/, 'a name without folders'),
  /** Of the file of weights; of a tfjs model, of model.json and its weight files one after the other. */
  sha256,
});

export const manifestSchema = z.object({
  format: z.literal('cyclegan-bundle'),
  version: z.literal(MANIFEST_VERSION),
  name,
  /** SPDX expression of the weights' licence, as the maker of the bundle stated it. */
  licence: text.max(200).nullable(),
  createdBy: z.object({ tool: text.max(200), version: text.max(50) }),
  createdAt: z.iso.datetime(),
  /** Null where the generator is none of the reference's, but another model that was imported. */
  networks: z.object({ generator: generatorSchema.nullable() }),
  /** Null in older bundles. */
  provenance: provenanceSchema.nullable().default(null),
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
  models: z
    .array(modelSchema)
    .min(1)
    .max(64)
    .refine(
      (models) => new Set(models.map((each) => `${each.direction} ${each.precision}`)).size === models.length,
      'one model for each direction and precision',
    ),
  variants: z.array(variantSchema).max(256).default([]),
});

export type Manifest = z.infer<typeof manifestSchema>;
export type ModelEntry = Manifest['models'][number];
export type SelfCheck = ModelEntry['selfCheck'];
export type VariantEntry = Manifest['variants'][number];

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
 * without a precision, the one that is most like fp32 is taken.
 * @throws CycleganError `bundle` naming what the bundle holds
 */
export function selectModel(
  manifest: Manifest,
  want: { direction?: Direction | undefined; precision?: Precision | undefined },
): ModelEntry {
  const directions = [...new Set(manifest.models.map((model) => model.direction))];
  const direction = want.direction ?? (directions.includes('AtoB') ? 'AtoB' : directions[0]);
  const candidates = manifest.models.filter((model) => model.direction === direction);
  const wanted = want.precision ? [want.precision] : precisionSchema.options;
  const found = wanted
    .map((precision) => candidates.find((model) => model.precision === precision))
    .find((model) => model !== undefined);
  if (!found) {
    const held = manifest.models.map((model) => `${model.direction} ${model.precision}`).join(', ');
    throw new CycleganError(
      'bundle',
      `[bundle] ${manifest.name}: expected a model ${direction ?? ''} ${want.precision ?? ''}, got a bundle that holds ${held}. Choose one of those, or export again.`,
    );
  }
  return found;
}

/** The graphs by which the tiles of a large image share their statistics. */
export interface TilePair {
  statistics: VariantEntry;
  tile: VariantEntry;
}

/** The pair for tiles of a model, or null: there is none, or an older one whose tiles give no statistics back. */
export function selectPair(
  manifest: Manifest,
  model: Pick<ModelEntry, 'direction' | 'precision'>,
): TilePair | null {
  const find = (part: 'statistics' | 'tile') =>
    manifest.variants.find(
      (variant) =>
        variant.direction === model.direction &&
        variant.precision === model.precision &&
        variant.part === part &&
        variant.io === 'float32' &&
        variant.layout === 'NCHW' &&
        variant.size === null &&
        variant.outputs.some(({ image }) => image === null),
    );
  const [statistics, tile] = [find('statistics'), find('tile')];
  return statistics && tile ? { statistics, tile } : null;
}
