/** The reference's U-Net generator (Isola et al. 2017): each level halves, and doubles what the levels within give. */
import type { GeneratorConfig } from './config.js';
import { hasBias, type Layer, normLayer, upsampleLayers } from './layers.js';
import { layeredNetwork, type Network } from './network.js';

/** With 7 levels unet_128, with 8 unet_256. Channels grow by min(2ⁿ, 8); dropout is in the middle levels of 8 alone. */
export function unetGenerator(config: Extract<GeneratorConfig, { kind: 'unet' }>): Network {
  const { ngf, downs, norm, dropout, upsample, inputChannels, outputChannels } = config;
  const bias = hasBias(norm);
  const width = (level: number) => ngf * Math.min(2 ** level, 8);
  const down = (input: number, output: number): Layer => ({
    kind: 'conv',
    input,
    output,
    kernel: 4,
    stride: 2,
    pad: 1,
    bias,
  });
  const up = (input: number, output: number, withBias: boolean): Layer[] => [
    { kind: 'relu' },
    ...upsampleLayers(upsample, { input, output, kernel: 4, bias: withBias }),
  ];

  /** What stands between a level's two convolutions: the next level, or nothing in the innermost. */
  const within = (level: number): Layer[] => {
    const inner = level + 1;
    if (inner === downs) return [];
    const [outside, inside] = [width(level), width(inner)];
    const innermost = inner === downs - 1;
    const middle = !innermost && inner >= 4;
    const layers: Layer[] = [
      { kind: 'leakyRelu', slope: 0.2 },
      down(outside, inside),
      ...(innermost ? [] : [normLayer(norm, inside)]),
      ...within(inner),
      ...up(innermost ? inside : inside * 2, outside, bias),
      normLayer(norm, outside),
      ...(dropout && middle ? [{ kind: 'dropout' } as const] : []),
    ];
    return [{ kind: 'skip', name: 'model', layers }];
  };

  const layers: Layer[] = [
    down(inputChannels, ngf),
    ...within(0),
    ...up(ngf * 2, outputChannels, true),
    { kind: 'tanh' },
  ];
  return layeredNetwork(layers, 'model.model');
}
