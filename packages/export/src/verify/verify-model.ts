/** One model of a bundle, and its variants, through all of their checks. Opens sessions and closes them. */
import { join } from 'node:path';
import {
  type ConcreteDevice,
  type ModelEntry,
  throwIfAborted,
  type VariantEntry,
} from '@cyclegan/runtime-core';
import { floats } from '../ort/graph-session.js';
import { openCpuSession } from '../ort/session.js';
import type { PictureSource } from '../pictures/pictures.js';
import type { Answer } from '../source/source-stage.js';
import { nearFp32, onProvider, roundingOf, sameFile } from './allowance.js';
import { type Check, compare, ownChecks, type Subject } from './checks.js';
import { difference, type Values } from './difference.js';
import { imagesFor } from './images.js';
import { openModel } from './open-model.js';
import { fellBack } from './placement.js';
import { runOnProvider } from './provider-run.js';
import { NotHere, type Report } from './report.js';
import { type SourceSide, sourceChecks } from './source-checks.js';
import { type OpenedVariant, openVariant, variantChecks, variantLabel } from './variant-checks.js';

export interface VerifyModelOptions {
  readonly bundle: string;
  readonly entry: ModelEntry;
  /** The bundle's variants of this direction and precision. */
  readonly variants: readonly VariantEntry[];
  /** The answers of the same direction's float32 model, for the others. */
  readonly fp32: Answer | undefined;
  /** For the first model of a direction: what it came from, asked for once the file is known to be sound. */
  readonly source: ((metadata: Readonly<Record<string, string>>) => Promise<SourceSide>) | undefined;
  readonly pictures: PictureSource;
  readonly devices: readonly ConcreteDevice[];
  readonly report: Report;
  readonly signal: AbortSignal | undefined;
}

/** What onnxruntime says of a WebGPU adapter without `shader-f16`. */
const lacksHalf = /f16 but the device does not support it/;

const FILE_COMPARISON = 'file as the manifest says';

export function modelLabel({ direction, precision }: Pick<ModelEntry, 'direction' | 'precision'>): string {
  return `${direction} ${precision}`;
}

/**
 * Verifies one model. A file that is not the manifest's is not run, and has that one row.
 * @param then runs at the end, while the model is open
 * @throws what opening the source throws; CycleganError `aborted`
 */
export async function verifyModel(
  options: VerifyModelOptions,
  then: (direct: Answer) => Promise<void>,
): Promise<void> {
  const { bundle, entry, report, pictures, signal } = options;
  const label = modelLabel(entry);
  const opened = await report.attempt(label, FILE_COMPARISON, async () => {
    const model = await openModel(bundle, entry);
    return { ...model, session: await openCpuSession(model.bytes, 'disabled') };
  });
  if (!opened) return;
  const { session } = opened;
  try {
    const images = await imagesFor({ ...entry, inputChannels: entry.input.channels }, pictures);
    const direct: Answer = async (image) => {
      const output = (await session.run(new Map([[entry.input.name, floats(image)]]))).get(entry.output.name);
      if (output?.dtype !== 'float32') throw new Error(`expected a float32 output, got ${output?.dtype}`);
      return { shape: output.shape, data: output.data as Float32Array };
    };
    const subject: Subject = {
      ...opened,
      bundle,
      entry,
      images,
      direct,
      allowed: sameFile(entry.precision, await roundingOf(images, direct)),
      signal,
    };
    const source = await options.source?.(opened.onnx.metadata);
    for (const check of checksOf(options, subject, source)) await report.check(label, check);
    await verifyVariants(options, subject);
    await then(direct);
  } finally {
    await session.dispose();
  }
}

function checksOf(options: VerifyModelOptions, subject: Subject, source: SourceSide | undefined): Check[] {
  const { entry, fp32, devices, pictures } = options;
  const near = entry.precision === 'fp32' ? subject.allowed : nearFp32(entry, pictures.folder !== null);
  const besideFp32: Check[] = fp32
    ? [
        {
          comparison: 'fp32 against the file',
          allowed: near,
          measure: () => compare(subject.images, fp32, subject.direct),
        },
      ]
    : [];
  return [
    ...(source ? sourceChecks(source, subject, near) : []),
    ...besideFp32,
    ...ownChecks(subject),
    ...devices.map((device) => providerCheck(options, subject, device)),
  ];
}

function providerCheck(
  { bundle, entry, report, signal }: VerifyModelOptions,
  { images, direct, allowed }: Subject,
  device: ConcreteDevice,
): Check {
  return {
    comparison: `on ${device}, optimised, against the file`,
    allowed: onProvider(device, allowed),
    async measure() {
      const feeds = images.map((image) => new Map([[entry.input.name, floats(image)]]));
      const run = await runOnProvider({ model: join(bundle, entry.file), device, feeds }, signal).catch(
        (error: unknown) => {
          throwIfAborted(signal, '[verify] bundle');
          if (error instanceof Error && lacksHalf.test(error.message)) {
            throw new NotHere('the device has no half precision');
          }
          throw error;
        },
      );
      report.placements.push({
        model: modelLabel(entry),
        device,
        nodes: run.nodes,
        fellBack: fellBack(device, run.nodes),
      });
      const pairs: [Values, Values][] = [];
      for (const [at, image] of images.entries()) {
        const got = run.outputs[at]?.get(entry.output.name);
        if (!(got?.data instanceof Float32Array))
          throw new Error(`expected a float32 output, got ${got?.dtype}`);
        pairs.push([await direct(image), { shape: got.shape, data: got.data }]);
      }
      return difference(pairs);
    },
  };
}

/** Files first, since a tile needs the statistics' as well. */
async function verifyVariants(
  { bundle, variants, report }: VerifyModelOptions,
  subject: Subject,
): Promise<void> {
  const opened: OpenedVariant[] = [];
  for (const entry of variants) {
    const bytes = await report.attempt(variantLabel(entry), FILE_COMPARISON, () =>
      openVariant(bundle, entry),
    );
    if (bytes) opened.push({ entry, bytes });
  }
  for (const variant of opened) {
    const statistics = opened.find(({ entry }) => entry.part === 'statistics');
    for (const check of variantChecks(variant, subject, statistics)) {
      await report.check(variantLabel(variant.entry), check);
    }
  }
}
