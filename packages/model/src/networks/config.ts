/** What a set of networks is, as kept in checkpoints and manifests: sizes only, no weights. */
import { z } from 'zod';

const width = z.number().int().min(1).max(1024);
const channels = z.union([z.literal(1), z.literal(3)]);

/** A resnet generator. */
export const generatorSchema = z.object({
  kind: z.literal('resnet'),
  /** Residual blocks: the reference takes 9 from 256 px, 6 at 128. */
  blocks: z.number().int().min(0).max(64),
  /** Channels after the first convolution; the residual blocks have four times as many. */
  ngf: width,
  inputChannels: channels,
  outputChannels: channels,
});

/** A PatchGAN discriminator. */
export const discriminatorSchema = z.object({
  kind: z.literal('patch'),
  /** Channels after the first convolution. */
  ndf: width,
  /** Convolutions of stride 2 after the first, plus one: 3 gives the 70×70 PatchGAN. */
  layers: z.number().int().min(1).max(8),
  inputChannels: channels,
});

/** A CycleGAN: both generators are alike, and so are both discriminators. */
export const networksSchema = z.object({ generator: generatorSchema, discriminator: discriminatorSchema });

export type GeneratorConfig = z.infer<typeof generatorSchema>;
export type DiscriminatorConfig = z.infer<typeof discriminatorSchema>;
export type NetworksConfig = z.infer<typeof networksSchema>;
