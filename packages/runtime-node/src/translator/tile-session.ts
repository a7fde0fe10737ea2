/**
 * The pair of graphs for tiles as onnxruntime-node sessions, each opened when it is first needed: most images run whole
 * and need neither. For a worker thread, as session.ts.
 */
import {
  CycleganError,
  type ModelEntry,
  type OpenRequest,
  type Planes,
  type Region,
  type TileSession,
  type VariantEntry,
} from '@cyclegan/runtime-core';
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { type NodeSource, readModel } from './bundle.js';

export interface TileSessionOptions {
  pair: NonNullable<OpenRequest<NodeSource>['pair']>;
  model: Pick<ModelEntry, 'file' | 'output'>;
  /** Opens a session of a checked file. */
  create(bytes: Uint8Array): Promise<InferenceSession>;
  /** What every call into onnxruntime-node goes through. */
  native<T>(work: () => Promise<T>): Promise<T>;
}

/** Its methods throw CycleganError `bundle` for files that are not the manifest's, and what the provider throws. */
export interface NodeTileSession extends TileSession {
  /** Frees what was opened. */
  release(): Promise<void>;
}

export function createTileSession({ pair, model, create, native }: TileSessionOptions): NodeTileSession {
  const opened = new Map<'statistics' | 'tile', Promise<InferenceSession>>();

  function open(part: 'statistics' | 'tile'): Promise<InferenceSession> {
    const known = opened.get(part);
    if (known) return known;
    const { entry, source } = pair[part];
    const session = readModel(entry, source).then((bytes) => native(() => create(bytes)));
    opened.set(part, session);
    // A file that is mended later can still be opened.
    session.catch(() => opened.delete(part));
    return session;
  }

  async function run(
    part: 'statistics' | 'tile',
    image: Planes,
    { statistics, core }: { statistics: Float32Array; core?: Region },
  ) {
    const { entry } = pair[part];
    const session = await open(part);
    const feeds: Record<string, Tensor> = {};
    for (const end of entry.inputs) {
      feeds[end.name] = end.image
        ? new Tensor('float32', image.data, [1, image.channels, image.height, image.width])
        : end.name === 'core' && core
          ? new Tensor('float32', edgesOf(core), [1, 1, 4])
          : new Tensor('float32', fitting(statistics, entry), [1, 2, entry.statistics ?? 0]);
    }
    return native(() => session.run(feeds));
  }

  return {
    async statistics(image, correction = uncorrected(pair.statistics.entry)) {
      return statisticsOf(await run('statistics', image, { statistics: correction }), pair.statistics.entry);
    },
    async run(tile, statistics, core) {
      const { entry } = pair.tile;
      const results = await run('tile', tile, { statistics, core });
      const { name = '' } = entry.outputs.find((end) => end.image) ?? {};
      const { dims = [], data } = results[name] ?? {};
      const [count, channels, height, width] = dims;
      if (!(data instanceof Float32Array) || count !== 1 || !channels || !height || !width) {
        throw unexpected(entry, `a float32 image of ${model.output.channels} channels`, dims);
      }
      return { planes: { width, height, channels, data }, statistics: statisticsOf(results, entry) };
    },
    async release() {
      const sessions = await Promise.allSettled(opened.values());
      opened.clear();
      for (const session of sessions) {
        if (session.status === 'fulfilled') await native(() => session.value.release());
      }
    },
  };
}

function edgesOf({ left, top, width, height }: Region): Float32Array {
  return Float32Array.of(top, left, top + height, left + width);
}

/** Zeros for the means, ones for the variances. */
function uncorrected({ statistics }: VariantEntry): Float32Array {
  const channels = statistics ?? 0;
  return new Float32Array(2 * channels).fill(1, channels);
}

function fitting(statistics: Float32Array, entry: VariantEntry): Float32Array {
  const expected = 2 * (entry.statistics ?? 0);
  if (statistics.length === expected) return statistics;
  throw new CycleganError(
    'usage',
    `[translate] statistics: expected ${expected} numbers as ${entry.file} takes them, got ${statistics.length}. Hand in those of the same model.`,
  );
}

function statisticsOf(results: InferenceSession.ReturnType, entry: VariantEntry): Float32Array {
  const end = entry.outputs.find(({ image }) => image === null);
  const output = end && results[end.name];
  if (output?.data instanceof Float32Array && output.data.length === 2 * (entry.statistics ?? 0)) {
    return output.data;
  }
  throw unexpected(entry, `statistics of ${entry.statistics} channels`, output?.dims ?? []);
}

function unexpected({ file }: VariantEntry, expected: string, got: readonly number[]): CycleganError {
  return new CycleganError(
    'bundle',
    `[bundle] ${file}: expected ${expected}, got [${got.join(', ')}]. Export the bundle again with --tiles.`,
  );
}
