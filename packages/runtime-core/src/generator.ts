/**
 * What a generator is, as manifests and checkpoints keep it: kind and sizes, no weights. The networks themselves are
 * the model package's.
 */
import { z } from 'zod';

/** Instance norm has neither weights nor statistics; batch norm has both; none takes the place of either. */
export const normSchema = z.enum(['instance', 'batch', 'none']);
/** How images are enlarged: a transposed convolution, or nearest neighbours and a convolution against checkerboards. */
export const upsampleSchema = z.enum(['transpose', 'resize']);

const channels = z.union([z.literal(1), z.literal(3)]);

// Whatever has a default came later: what was written before it stays readable.
const common = {
  /** Channels after the first convolution; the widest layers have four times as many (resnet) or eight (unet). */
  ngf: z.number().int().min(1).max(1024),
  norm: normSchema.default('instance'),
  /** Half of some activations at zero while training: in each residual block, or in a unet's middle levels. */
  dropout: z.boolean().default(false),
  upsample: upsampleSchema.default('transpose'),
  /** Of A: G_A takes these and gives `outputChannels`; G_B goes the other way. */
  inputChannels: channels,
  /** Of B. */
  outputChannels: channels,
};

export const generatorSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('resnet'),
    /** Residual blocks: the reference takes 9 from 256 px, 6 at 128. */
    blocks: z.number().int().min(0).max(64),
    ...common,
  }),
  z.object({
    kind: z.literal('unet'),
    /** Halvings down to the bottleneck: 7 is the reference's unet_128, 8 its unet_256. */
    downs: z.number().int().min(5).max(10),
    ...common,
  }),
]);

export type Norm = z.infer<typeof normSchema>;
export type Upsample = z.infer<typeof upsampleSchema>;
export type GeneratorConfig = z.infer<typeof generatorSchema>;
