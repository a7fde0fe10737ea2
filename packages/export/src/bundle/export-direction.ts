/**
 * One direction of a bundle: its generator prepared, in every precision and interface asked for, each file measured and
 * with its self-check. Where the files go is the caller's.
 */
import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import type { Graph, OptimizeTable } from '@cyclegan/graph';
import type { GeneratorConfig } from '@cyclegan/model';
import type { Direction, ModelEntry, Precision, VariantEntry } from '@cyclegan/runtime-core';
import { cpuName } from '@cyclegan/runtime-node';
import { graphFailure } from '../graph-failure.js';
import type { ImageSizes } from '../image-sizes.js';
import type { Imported } from '../import/imported.js';
import { evaluate } from '../ort/evaluate.js';
import { withPlanes } from '../ort/run-planes.js';
import type { SplitPictures } from '../pictures/pictures.js';
import { type MeasureOptions, measure, type QuantizeReport } from '../precision/index.js';
import { describeVariant, type VariantOptions, variantFile, variantOf } from '../variants/index.js';
import type { ExportOptions } from './export-options.js';
import type { ExportPlan } from './export-plan.js';
import { memoryOf } from './graph-memory.js';
import { knownPatch } from './known-patch.js';
import { endsOf, type FileFacts, fileBytes, fileFields, UNMEASURED } from './model-file.js';
import { evaluationImages, toPrecision } from './precision-graph.js';
import { prepareModel } from './prepare-model.js';
import { makeSelfCheck } from './self-check.js';

export interface DirectionOptions {
  readonly options: ExportOptions;
  readonly plan: ExportPlan;
  readonly imported: Imported;
  readonly direction: Direction;
  readonly pictures: SplitPictures;
  /** Told before each file. */
  begin(what: string): Promise<void>;
  /** Told of steps on the way. */
  say(what: string): void;
  write(file: string, bytes: Uint8Array): Promise<void>;
}

/** What was done to a direction's model, beside what the manifest says. */
export interface DirectionReport {
  direction: Direction;
  /** What the passes made of the graph. */
  optimization: OptimizeTable;
  /** Of int8: every convolution, and why those that stayed float32 did. */
  quantization: QuantizeReport | null;
}

export interface ExportedDirection {
  models: ModelEntry[];
  variants: VariantEntry[];
  report: DirectionReport;
  /** The network's own; null for foreign ones. */
  config: GeneratorConfig | null;
}

/** @throws CycleganError as {@link prepareModel}, `toPrecision` and `makeSelfCheck`; `aborted` */
export async function exportDirection(work: DirectionOptions): Promise<ExportedDirection> {
  const { options, plan, imported, direction, pictures, begin, write } = work;
  const { signal } = options;
  const where = `${plan.source.path}, ${direction}`;
  const range = options.range ?? imported.range ?? [-1, 1];
  const model = await prepareModel(imported, { range, where, evaluate, signal });
  const { input: named, output, key } = options;
  const { name, licence } = plan;
  const facts: FileFacts = { name, licence, direction, details: { range, input: named, output, key } };
  const plain = fileBytes(model.graph, facts);
  const input = model.graph.inputs[0]?.name ?? '';
  const patch = await knownPatch({ imported, model, plain, input, range, where });
  const memory = memoryOf(model.graph, model);
  const isMeasured = plan.precisions.some((precision) => precision !== 'fp32');
  const images = isMeasured ? await evaluationImages(model, { pictures, side: plan.side }) : [];

  const models: ModelEntry[] = [];
  const variants: VariantEntry[] = [];
  let quantization: QuantizeReport | null = null;
  for (const precision of plan.precisions) {
    const what = `${direction} ${precision}`;
    await begin(what);
    const { graph, report } = await toPrecision(model, precision, {
      pictures,
      evaluation: images,
      side: plan.side,
      method: options.calibrateMethod,
      psnrTarget: options.psnr,
      reduceRange: options.reduceRange,
      signal,
      onProgress: (progress) => work.say(`${what}: ${progress.what}`),
    });
    quantization ??= report ?? null;
    warnOfFloat(what, report, options);
    const bytes = precision === 'fp32' ? plain : fileBytes(graph, facts);
    const file = `${direction}.${precision}.onnx`;
    await write(file, bytes);
    models.push({
      ...fileFields(bytes, { direction, precision, file, sha256: sha256(bytes) }, model),
      ...endsOf(graph, model),
      memory,
      // Integers are computed only where the optimiser has put them together.
      selfCheck: await withPlanes(bytes, input, precision === 'int8' ? 'all' : 'disabled', (run) =>
        makeSelfCheck({ ...model, precision }, patch, run, `${plan.source.path}, ${what}`),
      ),
      ...(precision === 'fp32'
        ? UNMEASURED
        : await measured(
            { fp32: plain, candidate: bytes, images, input, signal },
            kindOf(pictures, precision),
          )),
    });
    variants.push(...(await exportVariants(graph, { direction, precision }, model, facts, work)));
  }
  return {
    models,
    variants,
    report: { direction, optimization: model.table, quantization },
    config: imported.config,
  };
}

/** The other interfaces of one model. */
async function exportVariants(
  graph: Graph,
  of: { direction: Direction; precision: Precision },
  sizes: ImageSizes,
  facts: FileFacts,
  { plan, begin, write }: Pick<DirectionOptions, 'plan' | 'begin' | 'write'>,
): Promise<VariantEntry[]> {
  const entries: VariantEntry[] = [];
  for (const variant of plan.variants) {
    const file = variantFile(of, variant);
    await begin(file);
    const made = madeVariant(graph, variant, file);
    const bytes = fileBytes(made, facts);
    await write(file, bytes);
    entries.push({
      ...fileFields(bytes, { ...of, file, sha256: sha256(bytes) }, sizes),
      ...describeVariant(made, variant),
    });
  }
  return entries;
}

/** A file that is called int8 and is none is worth a word. */
function warnOfFloat(what: string, report: QuantizeReport | undefined, { onWarning }: ExportOptions): void {
  if (!report || report.convolutions.some(({ precision }) => precision === 'int8')) return;
  onWarning?.(
    `[export] ${what}: no convolution could be put on integers at ${report.psnrTarget} dB or more, so the file is float32. Ask for a lower PSNR, or leave int8 out.`,
  );
}

/** What a model does not allow, such as tiles of one without InstanceNormalization, is an option to be changed. */
function madeVariant(graph: Graph, variant: VariantOptions, file: string): Graph {
  try {
    return variantOf(graph, variant);
  } catch (error) {
    throw graphFailure('usage', file, error);
  }
}

async function measured(
  options: MeasureOptions,
  pictures: SplitPictures['of'],
): Promise<Pick<ModelEntry, 'quality' | 'speed'>> {
  const { psnr, worst, speed, images } = await measure(options);
  const [, , height = 0, width = 0] = options.images[0]?.shape ?? [];
  const machine = { device: 'cpu', threads: availableParallelism(), machine: cpuName() } as const;
  return {
    // Below 0 dB there is nothing left of the picture.
    quality: { psnr: Math.max(0, psnr), worst: Math.max(0, worst), images, of: pictures },
    speed: [{ ...machine, ratio: Math.min(speed, 1000), width, height }],
  };
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Only what was calibrated is flattered by its calibration's pictures. */
function kindOf(pictures: SplitPictures, precision: Precision): SplitPictures['of'] {
  return pictures.of === 'calibration' && precision !== 'int8' ? 'held-out' : pictures.of;
}
