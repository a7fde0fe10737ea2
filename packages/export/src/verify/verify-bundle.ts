/**
 * Holds a bundle against its manifest, its source, the runtime and the machine's providers, model by model, and reports
 * every difference as a number. What is compared with what is in the files beside this one.
 */
import { setImmediate } from 'node:timers/promises';
import {
  type ConcreteDevice,
  type Direction,
  type Manifest,
  type ModelEntry,
  throwIfAborted,
} from '@cyclegan/runtime-core';
import { absence, NODE_DEVICES, readBundle } from '@cyclegan/runtime-node';
import type { Progress } from '../bundle/export-options.js';
import type { CustomLayer } from '../import/tfjs/index.js';
import { findPictures, SYNTHETIC } from '../pictures/pictures.js';
import { openSource } from '../source/source.js';
import { detailsFromMetadata } from '../source/source-details.js';
import { findSource } from '../source/source-kind.js';
import type { Answer } from '../source/source-stage.js';
import type { Placement } from './placement.js';
import { createReport, type Report, type VerifyRow } from './report.js';
import type { SourceSide } from './source-checks.js';
import { verifyModel } from './verify-model.js';

export interface VerifyOptions {
  /** A folder that `exportBundle` wrote. */
  bundle: string;
  /** What it was exported from. Without it those comparisons are left out. */
  source?: string | undefined;
  /** Of a tfjs layers model: the kinds of layers that it was exported with. */
  customLayers?: readonly CustomLayer[] | undefined;
  /**
   * Folder of images to compare on; each direction takes those of its domain where the folder has `A` and `B`, `testA`
   * and `testB` or their like. Default: small synthetic ones.
   */
  images?: string | undefined;
  /** Default: those that this machine has. */
  devices?: readonly ConcreteDevice[] | undefined;
  signal?: AbortSignal | undefined;
  /** Counts models. */
  onProgress?: ((progress: Progress) => void) | undefined;
  /** Told in one sentence when a damaged checkpoint is passed over for an older one. */
  onWarning?: ((message: string) => void) | undefined;
}

export interface VerifyResult {
  /** Whether every row is. */
  ok: boolean;
  rows: VerifyRow[];
  /** For each model and device: which nodes ran where, from onnxruntime's own profile. */
  placements: Placement[];
  /** A sentence for each comparison that was left out. */
  skipped: string[];
}

/** Images of a folder that are looked at. */
const IMAGE_COUNT = 8;

/**
 * Verifies every model and variant of a bundle. A difference that is too large is a row that is not ok, and no error. A
 * file that is not the manifest's is not run, and has that one row; a provider that crashes is a row too.
 * @throws CycleganError `bundle` for a manifest that cannot be read, `input` for images that cannot; what reading the
 * source throws; `aborted`
 */
export async function verifyBundle(options: VerifyOptions): Promise<VerifyResult> {
  const { bundle, source, images, signal, onProgress } = options;
  throwIfAborted(signal, '[verify] bundle');
  const { manifest } = await readBundle(bundle);
  if (source !== undefined) await findSource(source);
  const devices = options.devices ?? NODE_DEVICES.filter((device) => absence(device) === undefined).reverse();
  const { models } = manifest;
  let done = 0;
  const report = createReport(async (what) => {
    // onnxruntime holds up the thread; the request to stop comes in between.
    await setImmediate();
    throwIfAborted(signal, '[verify] bundle');
    onProgress?.({ done, total: models.length, what });
  });
  for (const direction of ['AtoB', 'BtoA'] as const) {
    const entries = models.filter((entry) => entry.direction === direction);
    if (entries.length === 0) continue;
    const pictures = images === undefined ? SYNTHETIC : await findPictures(images, direction, IMAGE_COUNT);
    await verifyDirection(entries, {
      bundle,
      manifest,
      pictures,
      devices,
      report,
      signal,
      source: source === undefined ? undefined : sourceOf(source, direction, manifest, options),
      onDone: () => {
        done += 1;
      },
    });
  }
  onProgress?.({ done, total: models.length, what: `${report.rows.length} comparisons` });
  return {
    ok: report.rows.every(({ ok }) => ok),
    rows: report.rows,
    placements: report.placements,
    skipped: [...skippedOf(options, devices), ...report.skipped],
  };
}

interface DirectionOptions {
  bundle: string;
  manifest: Manifest;
  pictures: Parameters<typeof verifyModel>[0]['pictures'];
  devices: readonly ConcreteDevice[];
  report: Report;
  signal: AbortSignal | undefined;
  source: ((metadata: Readonly<Record<string, string>>) => Promise<SourceSide>) | undefined;
  onDone(): void;
}

/** The float32 model stays open while the others are held against it. */
async function verifyDirection(entries: readonly ModelEntry[], options: DirectionOptions): Promise<void> {
  const { manifest, source, onDone } = options;
  const verify = (entry: ModelEntry, fp32: Answer | undefined, then: (direct: Answer) => Promise<void>) => {
    const variants = manifest.variants.filter(
      ({ direction, precision }) => direction === entry.direction && precision === entry.precision,
    );
    const first = entry === entries[0];
    return verifyModel({ ...options, entry, variants, fp32, source: first ? source : undefined }, then);
  };
  const [first, ...others] = entries;
  if (!first) return;
  let othersDone = false;
  const verifyOthers = async (fp32: Answer | undefined) => {
    for (const entry of others) {
      await verify(entry, fp32, async () => undefined);
      onDone();
    }
    othersDone = true;
  };
  await verify(first, undefined, async (direct) => {
    onDone();
    await verifyOthers(first.precision === 'fp32' ? direct : undefined);
  });
  if (!othersDone) {
    onDone();
    await verifyOthers(undefined);
  }
}

/** Reads the source as it was read for the export. */
function sourceOf(
  path: string,
  direction: Direction,
  { training }: Manifest,
  { customLayers, onWarning }: VerifyOptions,
): NonNullable<DirectionOptions['source']> {
  return async (metadata) => {
    const { range, ...named } = detailsFromMetadata(metadata);
    const source = await openSource(path, { direction, ...named, customLayers, onWarning });
    return { imported: await source.open(direction), range, training: [source.training, training] };
  };
}

function skippedOf({ source, images }: VerifyOptions, devices: readonly ConcreteDevice[]): string[] {
  const absent = NODE_DEVICES.filter((device) => !devices.includes(device)).map(
    (device) => `[verify] ${device}: left out, because ${absence(device) ?? 'it was not asked for'}.`,
  );
  return [
    ...(source === undefined
      ? ['[verify] comparison with the source: left out, because no source was named.']
      : []),
    ...(images === undefined ? ['[verify] images: synthetic ones, because no folder was named.'] : []),
    ...absent,
  ];
}
