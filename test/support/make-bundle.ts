/**
 * A small real bundle for tests: a checkpoint with random weights, written and exported as a user's would be. Trains
 * nothing, so that its pictures mean nothing.
 */
import { join } from 'node:path';
import { type ExportOptions, type ExportResult, exportBundle } from '@cyclegan/export';
import {
  cycleganNetworks,
  discriminatorNames,
  generatorNames,
  initialWeights,
  type NetworksConfig,
  namedParameters,
  parameterCount,
  type Tensor,
  writeCheckpoint,
} from '@cyclegan/model';

export interface MakeRunOptions {
  /** The run folder; made. */
  run: string;
  ngf?: number;
  blocks?: number;
  seed?: number;
  step?: number;
}

export interface MadeRun {
  run: string;
  /** The checkpoint's step folder. */
  checkpoint: string;
  networks: NetworksConfig;
  weights: Map<string, Tensor>;
}

/** Random weights for all four networks, wider than a fresh start's, so that outputs fill their range. */
export function randomWeights(networks: NetworksConfig, seed: number): Map<string, Tensor> {
  const parameters = namedParameters(cycleganNetworks(networks), [...generatorNames, ...discriminatorNames]);
  // Biases too, so that a lost one is found.
  const flat = initialWeights(
    parameters.map((parameter) => ({ ...parameter, role: 'weight' })),
    seed,
  ).map((value) => value * 5);
  let at = 0;
  return new Map(
    parameters.map((parameter) => {
      const data = flat.slice(at, at + parameterCount([parameter]));
      at += data.length;
      return [parameter.name, { shape: parameter.shape, data }];
    }),
  );
}

export function smallNetworks({ ngf = 4, blocks = 1 } = {}): NetworksConfig {
  return {
    generator: { kind: 'resnet', blocks, ngf, inputChannels: 3, outputChannels: 3 },
    discriminator: { kind: 'patch', ndf: ngf, layers: 3, inputChannels: 3 },
  };
}

/** A run folder with one checkpoint, with the metadata that training writes. */
export async function makeRun(options: MakeRunOptions): Promise<MadeRun> {
  const { run, seed = 1, step = 10 } = options;
  const networks = smallNetworks(options);
  const weights = randomWeights(networks, seed);
  const checkpoint = await writeCheckpoint({
    run,
    step,
    weights,
    optimizer: new Map(),
    state: {},
    metadata: {
      networks: JSON.stringify(networks),
      training: JSON.stringify({ steps: step, size: 64, batch: 1, seed, imagesA: 12, imagesB: 9 }),
    },
  });
  return { run, checkpoint, networks, weights };
}

export type MadeBundle = MadeRun & ExportResult;

/** `dir/run` and, exported from it, `dir/bundle`. */
export async function makeBundle(
  options: Omit<MakeRunOptions, 'run'> & { dir: string } & Pick<ExportOptions, 'direction' | 'name'>,
): Promise<MadeBundle> {
  const { dir, direction, name, ...rest } = options;
  const made = await makeRun({ ...rest, run: join(dir, 'run') });
  const out = join(dir, 'bundle');
  return { ...made, ...(await exportBundle({ source: made.run, out, direction, name })) };
}
