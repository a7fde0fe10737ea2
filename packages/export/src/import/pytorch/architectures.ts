/**
 * The reference's networks that a dictionary of tensors could be: kinds, sizes and layouts as its keys and shapes
 * suggest them, each with the names and shapes that it would have. Does not say which of them it is.
 */
import {
  type DiscriminatorConfig,
  discriminatorNetwork,
  type GeneratorConfig,
  generatorNetwork,
  type Network,
  type Norm,
  type Upsample,
} from '@cyclegan/model';

export type Architecture =
  | {
      readonly role: 'generator';
      readonly config: GeneratorConfig;
      /** Where instance norm has weights and biases of its own, in the order applied; the reference has none. */
      readonly affine: readonly string[];
    }
  | { readonly role: 'discriminator'; readonly config: DiscriminatorConfig; readonly inputChannels: 1 | 3 };

export interface Candidate {
  readonly architecture: Architecture;
  /** Names and shapes of all that it is made of. */
  readonly expected: ReadonlyMap<string, readonly number[]>;
  /** Names that say nothing of it: counters, and statistics that instance norm kept before PyTorch 0.4. */
  readonly ignored: ReadonlySet<string>;
}

export type Shapes = ReadonlyMap<string, readonly number[]>;

const norms: readonly Norm[] = ['instance', 'batch', 'none'];
const upsamples: readonly Upsample[] = ['transpose', 'resize'];

/** The likelier ones first. */
export function candidates(shapes: Shapes): Candidate[] {
  return [...generators(shapes), ...discriminators(shapes)];
}

function generators(shapes: Shapes): Candidate[] {
  const configs = norms.flatMap((norm) =>
    upsamples.flatMap((upsample): GeneratorConfig[] => {
      const common = { norm, upsample };
      const dropouts = [false, true].map((dropout) => ({ ...resnetSizes(shapes), ...common, dropout }));
      // Dropout leaves no trace in the keys of a unet.
      return [...dropouts, { ...unetSizes(shapes), ...common, dropout: false }];
    }),
  );
  return configs.flatMap((config) => {
    const twin = generatorNetwork({ ...config, norm: 'batch' });
    const make = (affine: readonly string[]) =>
      candidateOf({ role: 'generator', config, affine }, generatorNetwork(config), twin);
    return config.norm === 'instance' ? [make([]), make(normPlaces(twin))] : [make([])];
  });
}

function discriminators(shapes: Shapes): Candidate[] {
  return norms.flatMap((norm) =>
    [patchSizes(shapes), pixelSizes(shapes)].map(({ inputChannels, ...sizes }) => {
      const config: DiscriminatorConfig = { ...sizes, norm };
      const twin = discriminatorNetwork({ ...config, norm: 'batch' }, inputChannels);
      const network = discriminatorNetwork(config, inputChannels);
      return candidateOf({ role: 'discriminator', config, inputChannels }, network, twin);
    }),
  );
}

/** @param twin the same with batch norm, which shows where the normalisations are */
function candidateOf(architecture: Architecture, network: Network, twin: Network): Candidate {
  const own = architecture.role === 'generator' ? architecture.affine : [];
  const affine = twin.parameters.filter(({ name }) => own.includes(name.slice(0, name.lastIndexOf('.'))));
  const statistics = architecture.config.norm === 'instance' ? ['running_mean', 'running_var'] : [];
  // Beside weights they could be batch norm's, which does use them.
  const places = architecture.config.norm === 'none' || own.length > 0 ? [] : normPlaces(twin);
  return {
    architecture,
    expected: new Map(
      [...network.parameters, ...network.buffers, ...affine].map(({ name, shape }) => [name, shape]),
    ),
    ignored: new Set(
      places.flatMap((place) => [...statistics, 'num_batches_tracked'].map((name) => `${place}.${name}`)),
    ),
  };
}

function normPlaces({ buffers }: Network): string[] {
  const mean = '.running_mean';
  return buffers.filter(({ name }) => name.endsWith(mean)).map(({ name }) => name.slice(0, -mean.length));
}

function resnetSizes(shapes: Shapes) {
  const [ngf, input] = shapes.get('model.1.weight') ?? [];
  const blocks = new Set(matches(shapes, /^model\.(\d+)\.conv_block\./));
  const [output] = shapes.get(`model.${lastConvolution(shapes, /^model\.(\d+)\.weight$/)}.weight`) ?? [];
  return {
    kind: 'resnet',
    blocks: within(blocks.size, 0, 64, 9),
    ngf: within(ngf, 1, 1024, 64),
    inputChannels: channels(input),
    outputChannels: channels(output),
  } as const;
}

function unetSizes(shapes: Shapes) {
  const [ngf, input] = shapes.get('model.model.0.weight') ?? [];
  const levels = matches(shapes, /^model\.model((?:\.\d+\.model)+)\./).map(
    (inner) => inner.split('model').length,
  );
  const output = shapes.get('model.model.3.weight')?.[1] ?? shapes.get('model.model.5.weight')?.[0];
  return {
    kind: 'unet',
    downs: within(most(levels), 5, 10, 8),
    ngf: within(ngf, 1, 1024, 64),
    inputChannels: channels(input),
    outputChannels: channels(output),
  } as const;
}

function patchSizes(shapes: Shapes) {
  const [ndf, input] = shapes.get('model.0.weight') ?? [];
  const convolutions = matches(shapes, /^model\.(\d+)\.weight$/).filter(
    (place) => shapes.get(`model.${place}.weight`)?.length === 4,
  );
  return {
    kind: 'patch',
    layers: within(convolutions.length - 2, 1, 8, 3),
    ndf: within(ndf, 1, 1024, 64),
    inputChannels: channels(input),
  } as const;
}

function pixelSizes(shapes: Shapes) {
  const [ndf, input] = shapes.get('net.0.weight') ?? [];
  return { kind: 'pixel', ndf: within(ndf, 1, 1024, 64), inputChannels: channels(input) } as const;
}

/** What stands in the brackets, of each name that matches. */
function matches(shapes: Shapes, pattern: RegExp): string[] {
  return [...shapes.keys()].flatMap((name) => pattern.exec(name)?.[1] ?? []);
}

function lastConvolution(shapes: Shapes, pattern: RegExp): number {
  const places = matches(shapes, pattern).map(Number);
  return most(places.filter((place) => shapes.get(`model.${place}.weight`)?.length === 4));
}

function most(numbers: readonly number[]): number {
  return numbers.reduce((largest, each) => Math.max(largest, each), 0);
}

/** The number where it is one that networks have, else the usual one, so that the comparison names what is wrong. */
function within(value: number | undefined, least: number, most: number, usual: number): number {
  return value !== undefined && value >= least && value <= most ? value : usual;
}

function channels(value: number | undefined): 1 | 3 {
  return value === 1 ? 1 : 3;
}
