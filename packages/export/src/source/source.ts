/**
 * Where a bundle comes from: a run or checkpoint of this tool, a PyTorch file, a TensorFlow.js model or an ONNX file,
 * all opened the same way. What is in them is their importers' business.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { CycleganError, type Direction, isCycleganError, type Manifest } from '@cyclegan/runtime-core';
import { graphFailure } from '../graph-failure.js';
import type { Imported } from '../import/imported.js';
import type { CustomLayer } from '../import/tfjs/index.js';
import { findSource } from './source-kind.js';

export interface SourceOptions {
  /** Which way a file of one generator translates; without it, BtoA where its name says so, else AtoB. */
  readonly direction?: Direction | 'both' | undefined;
  /** Of an ONNX or tfjs model with several: which input and output are the images. */
  readonly input?: string | undefined;
  readonly output?: string | undefined;
  /** Of a PyTorch file with several networks: which dictionary, as `netG_A`. */
  readonly key?: string | undefined;
  /** Of a tfjs layers model: kinds of layers beside those that are built in. */
  readonly customLayers?: readonly CustomLayer[] | undefined;
  /** Told in one sentence when a damaged checkpoint is passed over for an older one. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

/** Models that can be opened. Holds no weights but a checkpoint's. */
export interface Source {
  /** What was read; for messages only. */
  readonly path: string;
  /** A name for people, without folders. */
  readonly name: string;
  /** Null for weights whose history is unknown. */
  readonly training: Manifest['training'];
  readonly provenance: NonNullable<Manifest['provenance']>;
  /** Folders of the images that it was trained on, by the direction that translates them, as far as they are there. */
  readonly pictures: Readonly<Partial<Record<Direction, string>>>;
  /** Those that it holds, AtoB first. */
  readonly directions: readonly Direction[];
  /**
   * Reads one direction's generator.
   * @throws CycleganError `usage` for a direction that it does not hold; what the importer throws
   */
  open(direction: Direction): Promise<Imported>;
}

/**
 * Finds out what a path leads to. Importers are loaded only when they are needed.
 * @throws CycleganError `input` for what is no such model, `run` and `bundle` for a run or checkpoint that cannot be read
 */
export async function openSource(path: string, options: SourceOptions = {}): Promise<Source> {
  const found = await findSource(path);
  switch (found.kind) {
    case 'checkpoint':
      return checkpointSource(path, options);
    case 'pytorch':
      return pytorchSource(found.path, options);
    case 'tfjs':
      return tfjsSource(found.path, options);
    case 'onnx':
      return onnxSource(path, options);
  }
}

async function checkpointSource(path: string, { onWarning }: SourceOptions): Promise<Source> {
  const { readCheckpointSource } = await import('./source-checkpoint.js');
  const checkpoint = await readCheckpointSource(path, onWarning);
  const isFile = (await stat(path)).isFile();
  const isRun = !isFile && resolve(checkpoint.path) !== resolve(path);
  return source({
    path: checkpoint.path,
    name: nameOf(path),
    training: checkpoint.training,
    pictures: checkpoint.pictures,
    kind: isRun ? 'run' : 'checkpoint',
    // A checkpoint is known by its run and step, not by the name that all files of weights have.
    originalName:
      basename(checkpoint.file) === 'weights.safetensors' ? nameOf(path) : basename(checkpoint.file),
    sha256: () => sha256Of([checkpoint.file]),
    generators: { AtoB: async () => checkpoint.open('AtoB'), BtoA: async () => checkpoint.open('BtoA') },
  });
}

async function pytorchSource(path: string, { direction: wanted, key }: SourceOptions): Promise<Source> {
  const { findPair, importPyTorch } = await import('../import/pytorch/index.js');
  const single = wanted === 'both' ? undefined : wanted;
  const pair = await findPair(path);
  const facts = { path, name: nameOf(path), training: null, kind: 'pytorch' } as const;
  if (pair) {
    const taken = single === undefined ? (['AtoB', 'BtoA'] as const) : [single];
    const files = taken.map((direction) => pair[direction]);
    const opening = taken.map((direction) => [
      direction,
      () => importPyTorch(pair[direction], { direction, key }),
    ]);
    return source({
      ...facts,
      originalName: files.map((file) => basename(file)).join(' + '),
      sha256: () => sha256Of(files),
      generators: Object.fromEntries(opening),
    });
  }
  const own = { ...facts, originalName: basename(path), sha256: () => sha256Of([path]) };
  const imported = await importPyTorch(path, { direction: single, key }).catch((error: unknown) => {
    // Several generators are in it, which is no failure here: each will be asked for by its direction.
    if (isCycleganError(error) && error.code === 'usage' && single === undefined && key === undefined)
      return undefined;
    throw error;
  });
  if (!imported) {
    return source({
      ...own,
      generators: {
        AtoB: () => importPyTorch(path, { direction: 'AtoB' }),
        BtoA: () => importPyTorch(path, { direction: 'BtoA' }),
      },
    });
  }
  return source({ ...own, generators: { [imported.direction ?? 'AtoB']: async () => imported } });
}

async function tfjsSource(
  path: string,
  { direction, input, output, customLayers }: SourceOptions,
): Promise<Source> {
  const { importTfjs } = await import('../import/tfjs/index.js');
  const { readGroups } = await import('../import/tfjs/weights.js');
  const { readModelJson } = await import('../import/tfjs/model-json.js');
  const named = {
    ...(input !== undefined && { input }),
    ...(output !== undefined && { output }),
    ...(customLayers && { customLayers }),
  };
  const name = nameOf(path);
  return source({
    path,
    name,
    training: null,
    kind: 'tfjs',
    // All such models have their file's name in common.
    originalName: name,
    async sha256() {
      const { file, json } = await readModelJson(path);
      const hash = createHash('sha256').update(await readFile(file));
      for (const group of await readGroups(file, json)) hash.update(group);
      return hash.digest('hex');
    },
    generators: { [directionOf(name, direction)]: () => importTfjs(path, named) },
  });
}

function onnxSource(path: string, { direction, input, output }: SourceOptions): Promise<Source> {
  const open = async () => {
    const { importOnnx } = await import('../import/onnx/import-onnx.js');
    return importOnnx(path, { input, output });
  };
  return source({
    path,
    name: nameOf(path),
    training: null,
    kind: 'onnx',
    originalName: basename(path),
    sha256: () => sha256Of([path]),
    generators: { [directionOf(path, direction)]: open },
  });
}

interface SourceFacts extends Pick<Source, 'path' | 'name' | 'training'>, Partial<Pick<Source, 'pictures'>> {
  kind: Source['provenance']['kind'];
  originalName: string;
  /** Of the weights. */
  sha256(): Promise<string>;
  generators: Readonly<Partial<Record<Direction, () => Promise<Imported>>>>;
}

async function source({
  path,
  name,
  training,
  pictures = {},
  kind,
  originalName,
  sha256,
  generators,
}: SourceFacts): Promise<Source> {
  const directions = (['AtoB', 'BtoA'] as const).filter((direction) => generators[direction]);
  return {
    path,
    name,
    training,
    pictures,
    provenance: { kind, name: plainName(originalName), sha256: await sha256() },
    directions,
    async open(direction) {
      const open = generators[direction];
      if (open) {
        return open().catch((error: unknown) => {
          throw graphFailure('input', path, error);
        });
      }
      throw new CycleganError(
        'usage',
        `[export] ${path}: expected a generator ${direction}, got ${directions.join(' and ')} only. Choose another direction.`,
      );
    },
  };
}

async function sha256Of(files: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const file of files) {
    await pipeline(createReadStream(file), async (chunks) => {
      for await (const chunk of chunks) hash.update(chunk);
    });
  }
  return hash.digest('hex');
}

/** The direction of a file that holds one generator: as asked for, else as the reference and this tool name files. */
export function directionOf(path: string, wanted: Direction | 'both' | undefined): Direction {
  if (wanted === 'AtoB' || wanted === 'BtoA') return wanted;
  return /_G_B(?![A-Za-z])|BtoA/i.test(basename(path)) ? 'BtoA' : 'AtoB';
}

/** `runs/monet` → monet, `runs/monet/checkpoints/500` → monet-500, `mine.safetensors` → mine. */
function nameOf(source: string): string {
  const path = resolve(source);
  if (/^(weights\.safetensors|model\.json)$/.test(basename(path))) return nameOf(dirname(path));
  const parent = dirname(path);
  const own = basename(path).replace(/\.(safetensors|pth|pt|pkl|ckpt|onnx|json)$/i, '');
  const name = basename(parent) === 'checkpoints' ? `${basename(dirname(parent))}-${own}` : own;
  return name.slice(0, 200) || 'model';
}

/** As manifests take it: no folders, no control characters, not too long. */
function plainName(name: string): string {
  return name.replaceAll(/[\p{Cc}/\\]/gu, '?').slice(0, 255) || 'model';
}
