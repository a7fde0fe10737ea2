/** The reference's resnet generator (Johnson et al. 2016, as in Zhu et al. 2017). */
import type { GeneratorConfig } from './config.js';
import { hasBias, type Layer, normLayer, upsampleLayers } from './layers.js';
import { layeredNetwork, type Network } from './network.js';

/** 7×7, two halvings, residual blocks, two doublings, 7×7, tanh. */
export function resnetGenerator(config: Extract<GeneratorConfig, { kind: 'resnet' }>): Network {
  const { ngf, blocks, norm, dropout, upsample, inputChannels, outputChannels } = config;
  const bias = hasBias(norm);
  const normRelu = (channels: number): Layer[] => [normLayer(norm, channels), { kind: 'relu' }];
  const down = (input: number, output: number): Layer[] => [
    { kind: 'conv', input, output, kernel: 3, stride: 2, pad: 1, bias },
    ...normRelu(output),
  ];
  const up = (input: number, output: number): Layer[] => [
    ...upsampleLayers(upsample, { input, output, kernel: 3, bias }),
    ...normRelu(output),
  ];
  const padded = (input: number, output: number, kernel: 3 | 7, withBias: boolean): Layer[] => [
    { kind: 'reflectionPad', pad: (kernel - 1) / 2 },
    { kind: 'conv', input, output, kernel, stride: 1, pad: 0, bias: withBias },
  ];
  const wide = ngf * 4;
  const block: Layer = {
    kind: 'residual',
    name: 'conv_block',
    layers: [
      ...padded(wide, wide, 3, bias),
      ...normRelu(wide),
      ...(dropout ? [{ kind: 'dropout' } as const] : []),
      ...padded(wide, wide, 3, bias),
      normLayer(norm, wide),
    ],
  };
  return layeredNetwork([
    ...padded(inputChannels, ngf, 7, bias),
    ...normRelu(ngf),
    ...down(ngf, ngf * 2),
    ...down(ngf * 2, wide),
    ...Array.from({ length: blocks }, () => block),
    ...up(wide, ngf * 2),
    ...up(ngf * 2, ngf),
    ...padded(ngf, outputChannels, 7, true),
    { kind: 'tanh' },
  ]);
}
