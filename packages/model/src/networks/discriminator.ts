/** The reference's PatchGAN discriminator: a map of logits, one for each overlapping patch; no sigmoid. */
import type { DiscriminatorConfig } from './config.js';
import type { Layer } from './layers.js';
import { layeredNetwork, type Network } from './network.js';

/**
 * With 3 layers the 70×70 PatchGAN. Input [N, C, H, W] → [N, 1, h, w]; 256×256 gives 30×30. Channels grow by
 * min(2ⁿ, 8).
 */
export function patchDiscriminator({ ndf, layers, inputChannels }: DiscriminatorConfig): Network {
  const conv = (input: number, output: number, stride: number): Layer => ({
    kind: 'conv',
    input,
    output,
    kernel: 4,
    stride,
    pad: 1,
  });
  const leaky: Layer = { kind: 'leakyRelu', slope: 0.2 };
  const widths = Array.from({ length: layers + 1 }, (_, n) => ndf * Math.min(2 ** n, 8));
  const middle = widths.slice(1).flatMap((width, n): Layer[] => {
    const stride = n === layers - 1 ? 1 : 2;
    return [conv(widths[n] ?? ndf, width, stride), { kind: 'instanceNorm', channels: width }, leaky];
  });
  return layeredNetwork([conv(inputChannels, ndf, 2), leaky, ...middle, conv(widths.at(-1) ?? ndf, 1, 1)]);
}

/** Smallest height and width for which the map has at least one logit and no normalised layer a single pixel. */
export function discriminatorMinSize(layers: number): number {
  // Of what the halvings leave, each of the two last convolutions takes one pixel, and one is the logit.
  return 3 * 2 ** layers;
}
