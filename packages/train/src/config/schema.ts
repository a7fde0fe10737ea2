/** `config.json`: everything that decides what a run computes, as the run folder keeps it. Knows no defaults of presets. */
import { initSchema, networksSchema } from '@cyclegan/model/networks';
import { z } from 'zod';

const count = z.number().int().positive();
const weight = z.number().nonnegative();
const beta = z.number().min(0).lt(1);

/** How images are brought to the training size; the reference's names. */
export const preprocessModes = [
  'resize_and_crop',
  'crop',
  'scale_width',
  'scale_width_and_crop',
  'scale_shortside_and_crop',
  'none',
] as const;

/** Fields with a default came later than the first version: runs without them were what the default says. */
export const runConfigSchema = z.object({
  format: z.literal('cyclegan-run'),
  version: z.literal(1),
  a: z.string(),
  b: z.string(),
  networks: networksSchema,
  /** Edge of the crops, pixels. */
  size: count.max(2048),
  /** What a step's images measure; other than `size` only where the preprocessing does not crop. */
  height: count.max(2048).optional(),
  width: count.max(2048).optional(),
  loadSize: count.max(8192),
  preprocess: z.enum(preprocessModes).default('resize_and_crop'),
  flip: z.boolean().default(true),
  pairing: z.enum(['random', 'serial']).default('random'),
  /** Of each domain only the first so many, by name. */
  maxImages: count.nullable().default(null),
  /** Folder of decoded pictures. */
  cache: z.string().nullable().default(null),
  batch: count.max(1024),
  seed: z.number().int(),
  init: initSchema.default({ type: 'normal', gain: 0.02 }),
  /** Checkpoint or bundle that the first weights came from. */
  initFrom: z.string().nullable().default(null),
  steps: count,
  /** Steps at the end over which the learning rate falls to zero. */
  decaySteps: z.number().int().nonnegative(),
  /** Given instead of `steps`: epochs at the full rate, and those over which it falls, as in the reference. */
  epochs: count.nullable(),
  decayEpochs: z.number().int().nonnegative().nullable(),
  learningRate: z.number().positive(),
  lrPolicy: z.enum(['linear', 'step', 'cosine', 'plateau']).default('linear'),
  /** Policy `step`: a tenth of the rate after every so many epochs, or steps where the run counts steps. */
  lrDecayEvery: count.nullable().default(null),
  adam: z.object({ beta1: beta, beta2: beta }).default({ beta1: 0.5, beta2: 0.999 }),
  gan: z.enum(['lsgan', 'vanilla', 'wgangp']),
  lambdaGanA: weight.default(1),
  lambdaGanB: weight.default(1),
  lambdaA: weight,
  lambdaB: weight,
  lambdaIdentity: weight,
  lambdaGp: weight.default(10),
  pool: z.number().int().nonnegative().max(100_000),
  engine: z.enum(['ort', 'tfjs']),
  device: z.enum(['cpu', 'cuda', 'webgpu']),
  recompute: z.boolean().default(false),
  /** Steps in one call of the device, on devices where that matters. */
  stepsPerRun: z.union([count.max(1024), z.literal('auto')]).default('auto'),
  /** Of the engine. Sums are formed in another order with another number, so that it belongs to an exact resume. */
  threads: z.number().int().min(1).max(1024),
  checkpointEvery: count,
  /** Newest checkpoints that stay, beside the best. */
  keep: count.max(1000).default(3),
  reportEvery: count,
  sampleEvery: count,
  /** Held-out images, and whether those of one name in both folders belong together. */
  held: z.object({ a: z.string(), b: z.string(), paired: z.boolean() }).nullable().default(null),
  evalEvery: count.optional(),
  /** Feature network (ONNX) for FID and KID on the held-out images. */
  features: z.string().nullable().default(null),
  /** What the best checkpoint is best in. */
  bestMetric: z.string().nullable().default(null),
  /** Evaluations without a better one after which the run ends. */
  patience: count.nullable().default(null),
  tensorboard: z.boolean().default(false),
});

/** What `config.json` holds. */
export type RunConfig = z.infer<typeof runConfigSchema>;

/** Height and width of a step's images. */
export function trainingSize(config: RunConfig): { height: number; width: number } {
  return { height: config.height ?? config.size, width: config.width ?? config.size };
}

/** Steps between two evaluations. */
export function evaluationInterval(config: RunConfig): number {
  return config.evalEvery ?? config.sampleEvery;
}
