/** What a set of networks is, as kept in checkpoints and manifests: kinds and sizes only, no weights. */
import { type GeneratorConfig, generatorSchema, normSchema } from '@cyclegan/runtime-core';
import { z } from 'zod';

export { type GeneratorConfig, generatorSchema, type Norm, type Upsample } from '@cyclegan/runtime-core';

const common = {
  /** Channels after the first convolution. */
  ndf: z.number().int().min(1).max(1024),
  norm: normSchema.default('instance'),
};

/** Its input's channels are those of the domain that it judges. */
export const discriminatorSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('patch'),
    /** Convolutions of stride 2 after the first, plus one: 3, the reference's `basic`, gives the 70×70 PatchGAN. */
    layers: z.number().int().min(1).max(8),
    ...common,
  }),
  /** Each pixel by itself. */
  z.object({ kind: z.literal('pixel'), ...common }),
]);

/** A CycleGAN: both generators are alike, and so are both discriminators, but for their channels. */
export const networksSchema = z.object({ generator: generatorSchema, discriminator: discriminatorSchema });

/** How weights begin; biases are 0 always. */
export const initSchema = z.object({
  type: z.enum(['normal', 'xavier', 'kaiming', 'orthogonal']).default('normal'),
  /** Deviation (normal) or factor (xavier, orthogonal); kaiming takes it for batch norm's weights alone. */
  gain: z.number().positive().max(10).default(0.02),
});

export type DiscriminatorConfig = z.infer<typeof discriminatorSchema>;
export type NetworksConfig = z.infer<typeof networksSchema>;
export type InitConfig = z.infer<typeof initSchema>;

/** Height and width of a generator's input must be multiples of this: what it halves it doubles again. */
export function sizeMultiple(generator: GeneratorConfig): number {
  return generator.kind === 'unet' ? 2 ** generator.downs : 4;
}

/** Smallest height and width of a generator's input. */
export function minSize(generator: GeneratorConfig): number {
  // A resnet's reflection by one at a quarter of the size needs two pixels there; a unet's bottleneck has one.
  return generator.kind === 'unet' ? sizeMultiple(generator) : 8;
}

/** Smallest height and width that give at least one logit, and no normalised layer a single pixel. */
export function discriminatorMinSize(discriminator: DiscriminatorConfig): number {
  // Of what the halvings leave, each of the two last convolutions takes one pixel, and one is the logit.
  return discriminator.kind === 'patch' ? 3 * 2 ** discriminator.layers : 2;
}

/** The same generator for the other direction: from B's channels to A's. */
export function reversed(generator: GeneratorConfig): GeneratorConfig {
  const { inputChannels, outputChannels } = generator;
  return { ...generator, inputChannels: outputChannels, outputChannels: inputChannels };
}
