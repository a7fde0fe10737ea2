/** The reference's resnet generator (Johnson et al. 2016, as in Zhu et al. 2017). */
import type { GeneratorConfig } from './config.js';
import type { Layer } from './layers.js';
import { layeredNetwork, type Network } from './network.js';

/** Height and width of a generator's input must be multiples of this: it halves them twice and doubles them again. */
export const SIZE_MULTIPLE = 4;
/** Smallest height and width: the reflection by one at a quarter of the size needs two pixels there. */
export const MIN_SIZE = 8;

/** 7×7, two halvings, residual blocks, two doublings, 7×7, tanh. Output in [-1, 1], of the input's size. */
export function resnetGenerator(config: GeneratorConfig): Network {
  const { ngf, blocks, inputChannels, outputChannels } = config;
  const normRelu = (channels: number): Layer[] => [{ kind: 'instanceNorm', channels }, { kind: 'relu' }];
  const conv = (input: number, output: number, kernel: number, stride: number, pad: number): Layer[] => [
    { kind: 'conv', input, output, kernel, stride, pad },
  ];
  const wide = ngf * 4;
  const block: Layer = {
    kind: 'residual',
    name: 'conv_block',
    layers: [
      { kind: 'reflectionPad', pad: 1 },
      ...conv(wide, wide, 3, 1, 0),
      ...normRelu(wide),
      { kind: 'reflectionPad', pad: 1 },
      ...conv(wide, wide, 3, 1, 0),
      { kind: 'instanceNorm', channels: wide },
    ],
  };
  return layeredNetwork([
    { kind: 'reflectionPad', pad: 3 },
    ...conv(inputChannels, ngf, 7, 1, 0),
    ...normRelu(ngf),
    ...conv(ngf, ngf * 2, 3, 2, 1),
    ...normRelu(ngf * 2),
    ...conv(ngf * 2, wide, 3, 2, 1),
    ...normRelu(wide),
    ...Array.from({ length: blocks }, () => block),
    { kind: 'convTranspose', input: wide, output: ngf * 2 },
    ...normRelu(ngf * 2),
    { kind: 'convTranspose', input: ngf * 2, output: ngf },
    ...normRelu(ngf),
    { kind: 'reflectionPad', pad: 3 },
    ...conv(ngf, outputChannels, 7, 1, 0),
    { kind: 'tanh' },
  ]);
}
