/** The reference's discriminators: a map of logits, one for each overlapping patch or each pixel; no sigmoid. */
import type { DiscriminatorConfig } from './config.js';
import { hasBias, type Layer, normLayer } from './layers.js';
import { layeredNetwork, type Network } from './network.js';

/** @param inputChannels of the domain that is judged: B for D_A, A for D_B */
export function discriminatorNetwork(config: DiscriminatorConfig, inputChannels: 1 | 3): Network {
  return config.kind === 'pixel'
    ? pixelDiscriminator(config, inputChannels)
    : patchDiscriminator(config, inputChannels);
}

const leaky: Layer = { kind: 'leakyRelu', slope: 0.2 };

/**
 * With 3 layers the 70×70 PatchGAN. Input [N, C, H, W] → [N, 1, h, w]; 256×256 gives 30×30. Channels grow by
 * min(2ⁿ, 8).
 */
function patchDiscriminator(
  { ndf, layers, norm }: Extract<DiscriminatorConfig, { kind: 'patch' }>,
  inputChannels: number,
): Network {
  const conv = (input: number, output: number, stride: number, bias: boolean): Layer => ({
    kind: 'conv',
    input,
    output,
    kernel: 4,
    stride,
    pad: 1,
    bias,
  });
  const widths = Array.from({ length: layers + 1 }, (_, n) => ndf * Math.min(2 ** n, 8));
  const middle = widths.slice(1).flatMap((width, n): Layer[] => {
    const stride = n === layers - 1 ? 1 : 2;
    return [conv(widths[n] ?? ndf, width, stride, hasBias(norm)), normLayer(norm, width), leaky];
  });
  return layeredNetwork([
    conv(inputChannels, ndf, 2, true),
    leaky,
    ...middle,
    conv(widths.at(-1) ?? ndf, 1, 1, true),
  ]);
}

/** Input [N, C, H, W] → [N, 1, H, W]. */
function pixelDiscriminator(
  { ndf, norm }: Extract<DiscriminatorConfig, { kind: 'pixel' }>,
  inputChannels: number,
): Network {
  const conv = (input: number, output: number, bias: boolean): Layer => ({
    kind: 'conv',
    input,
    output,
    kernel: 1,
    stride: 1,
    pad: 0,
    bias,
  });
  const layers = [
    conv(inputChannels, ndf, true),
    leaky,
    conv(ndf, ndf * 2, hasBias(norm)),
    normLayer(norm, ndf * 2),
    leaky,
    conv(ndf * 2, 1, hasBias(norm)),
  ];
  return layeredNetwork(layers, 'net');
}
