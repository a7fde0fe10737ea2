/**
 * Networks as lists of layers, as in PyTorch's nn.Sequential: a parameter's name is its layer's place in the list,
 * which is how the reference's state_dict keys come about. Knows no graph and no weights' values.
 */
import type { Norm, Upsample } from './config.js';

/** One entry of an nn.Sequential; sizes are channels and pixels. */
export type Layer =
  | {
      readonly kind: 'conv';
      readonly input: number;
      readonly output: number;
      readonly kernel: number;
      readonly stride: number;
      readonly pad: number;
      readonly bias: boolean;
    }
  | {
      /** Stride 2, padding 1, and output padding 1 with a kernel of 3: doubles height and width. */
      readonly kind: 'convTranspose';
      readonly input: number;
      readonly output: number;
      readonly kernel: 3 | 4;
      readonly bias: boolean;
    }
  /** Nearest neighbours: doubles height and width. */
  | { readonly kind: 'enlarge' }
  | { readonly kind: 'reflectionPad'; readonly pad: number }
  | { readonly kind: 'instanceNorm' | 'batchNorm'; readonly channels: number }
  /** Takes up a place in the list alone. */
  | { readonly kind: 'identity' }
  | { readonly kind: 'relu' | 'tanh' }
  | { readonly kind: 'leakyRelu'; readonly slope: number }
  /** While training, each activation is 0 or doubled, at even odds. */
  | { readonly kind: 'dropout' }
  /** The input added to what the inner layers make of it; the inner list's name stands in the keys. */
  | { readonly kind: 'residual'; readonly name: string; readonly layers: readonly Layer[] }
  /**
   * What the first inner layer makes of the input, and beside it (on channels) what the others make of that. In the
   * reference the input stands there, and the first layer, which works in place, has changed it.
   */
  | { readonly kind: 'skip'; readonly name: string; readonly layers: readonly Layer[] };

/** What is trained of a layer, or kept beside it, without its values. */
export interface Parameter {
  /** The reference's state_dict key, such as `model.10.conv_block.1.weight`. */
  readonly name: string;
  /** Conv [K, C, kh, kw], ConvTranspose [C, K, kh, kw], all else [K]. */
  readonly shape: readonly number[];
  /** A convolution's weight, batch norm's factor, anyone's bias; batch norm's running mean and variance. */
  readonly role: 'weight' | 'scale' | 'bias' | 'mean' | 'variance';
}

/** What a list of layers trains (`parameters`) and keeps (`buffers`), each in the order of PyTorch's state_dict. */
export function parametersOf(
  layers: readonly Layer[],
  prefix: string,
): { parameters: Parameter[]; buffers: Parameter[] } {
  const all = layers.flatMap((layer, i) => ownOf(layer, `${prefix}.${i}`));
  const isBuffer = ({ role }: Parameter) => role === 'mean' || role === 'variance';
  return { parameters: all.filter((each) => !isBuffer(each)), buffers: all.filter(isBuffer) };
}

function ownOf(layer: Layer, name: string): Parameter[] {
  const vector = (key: string, size: number, role: Parameter['role']): Parameter => ({
    name: `${name}.${key}`,
    shape: [size],
    role,
  });
  switch (layer.kind) {
    case 'conv':
    case 'convTranspose': {
      const { kernel, input, output } = layer;
      const ends = layer.kind === 'conv' ? [output, input] : [input, output];
      const weight = { name: `${name}.weight`, shape: [...ends, kernel, kernel], role: 'weight' } as const;
      return layer.bias ? [weight, vector('bias', output, 'bias')] : [weight];
    }
    case 'batchNorm':
      return [
        vector('weight', layer.channels, 'scale'),
        vector('bias', layer.channels, 'bias'),
        vector('running_mean', layer.channels, 'mean'),
        vector('running_var', layer.channels, 'variance'),
      ];
    case 'residual':
    case 'skip':
      return layer.layers.flatMap((inner, i) => ownOf(inner, `${name}.${layer.name}.${i}`));
    default:
      return [];
  }
}

/** Whether a layer of this kind is in the list or anywhere within. */
export function hasLayer(layers: readonly Layer[], kind: Layer['kind']): boolean {
  return layers.some((layer) => layer.kind === kind || ('layers' in layer && hasLayer(layer.layers, kind)));
}

/** A normalisation; without one its place in the list is still taken. */
export function normLayer(norm: Norm, channels: number): Layer {
  return norm === 'none' ? { kind: 'identity' } : { kind: `${norm}Norm`, channels };
}

/** Whether a convolution before this normalisation has a bias: the reference gives it one with instance norm alone. */
export function hasBias(norm: Norm): boolean {
  return norm === 'instance';
}

/** Doubles height and width. @param kernel of the transposed convolution; resizing takes 3 */
export function upsampleLayers(
  how: Upsample,
  { input, output, kernel, bias }: Omit<Extract<Layer, { kind: 'convTranspose' }>, 'kind'>,
): Layer[] {
  if (how === 'transpose') return [{ kind: 'convTranspose', input, output, kernel, bias }];
  return [
    { kind: 'enlarge' },
    { kind: 'reflectionPad', pad: 1 },
    { kind: 'conv', input, output, kernel: 3, stride: 1, pad: 0, bias },
  ];
}
