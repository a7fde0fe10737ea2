/**
 * One direction of a bundle: its generator prepared, in every precision and interface asked for, each file measured and
 * with its self-check. Where the files go is the caller's.
 */
import { availableParallelism, cpus } from 'node:os';
import type { Graph, OptimizeTable } from '@cyclegan/graph';
import type { GeneratorConfig } from '@cyclegan/model';
import type { Direction, ModelEntry, Precision, VariantEntry } from '@cyclegan/runtime-core';
import { graphFailure } from './graph-failure.js';
import type { Imported } from './import/imported.js';
import { knownPatch } from './known-patch.js';
import { type FileFacts, fileBytes, fileFields } from './model-file.js';
import type { SplitPictures } from './pictures.js';
import { type MeasureOptions, measure, type QuantizeReport } from './precision/index.js';
import { evaluationImages, type PrecisionOptions, toPrecision } from './precision-graph.js';
import { type PreparedModel, prepareModel } from './prepare-model.js';
import { withPlanes } from './run-planes.js';
import { makeSelfCheck } from './self-check.js';
import { describeVariant, type VariantOptions, variantFile, variantOf } from './variants/index.js';

export interface DirectionOptions extends PrecisionOptions {
  readonly imported: Imported;
  readonly direction: Direction;
  /** In the order to write them. */
  readonly precisions: readonly Precision[];
  /** Other interfaces, of each precision. */
  readonly variants: readonly VariantOptions[];
  readonly facts: FileFacts;
  /** The source, for messages. */
  readonly where: string;
  /** Told before each file. */
  begin(what: string): Promise<void>;
  write(file: string, bytes: Uint8Array): Promise<void>;
  readonly onWarning?: ((message: string) => void) | undefined;
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
export async function exportDirection(options: DirectionOptions): Promise<ExportedDirection> {
  const { imported, direction, precisions, pictures, facts, where, signal, begin, write } = options;
  const { range } = facts.details;
  const model = await prepareModel(imported, { range, where, signal });
  const plain = fileBytes(model.graph, facts);
  const input = model.graph.inputs[0]?.name ?? '';
  const patch = await knownPatch({ imported, model, plain, input, range, where: `${where}, ${direction}` });
  const images = precisions.some((each) => each !== 'fp32') ? await evaluationImages(model, options) : [];

  const models: ModelEntry[] = [];
  const variants: VariantEntry[] = [];
  let quantization: QuantizeReport | null = null;
  for (const precision of precisions) {
    const what = `${direction} ${precision}`;
    await begin(what);
    const { graph, report } = await toPrecision(model, precision, {
      ...options,
      onProgress: (progress) => options.onProgress?.({ ...progress, what: `${what}: ${progress.what}` }),
    });
    quantization ??= report ?? null;
    const bytes = precision === 'fp32' ? plain : fileBytes(graph, facts);
    const file = `${direction}.${precision}.onnx`;
    const fields = fileFields(bytes, { direction, precision, file }, model);
    await write(file, bytes);
    models.push({
      ...fields,
      ...endsOf(graph, model),
      // Integers are computed only where the optimiser has put them together.
      selfCheck: await withPlanes(bytes, input, precision === 'int8' ? 'all' : 'disabled', (run) =>
        makeSelfCheck({ ...model, precision }, patch, run, `${where}, ${what}`),
      ),
      ...(precision === 'fp32'
        ? unmeasured
        : await measured({ fp32: plain, candidate: bytes, images, input, signal }, of(pictures, precision))),
    });
    for (const variant of options.variants) {
      variants.push(await exportVariant(graph, variant, { ...options, precision, model }));
    }
  }
  return {
    models,
    variants,
    report: { direction, optimization: model.table, quantization },
    config: imported.config,
  };
}

function endsOf(
  graph: Graph,
  { inputChannels, outputChannels }: PreparedModel,
): Pick<ModelEntry, 'input' | 'output'> {
  const tensor = { layout: 'NCHW', dtype: 'float32', range: [-1, 1] } satisfies Partial<ModelEntry['input']>;
  return {
    input: { name: graph.inputs[0]?.name ?? '', channels: inputChannels, ...tensor },
    output: { name: graph.outputs[0]?.name ?? '', channels: outputChannels, ...tensor },
  };
}

async function exportVariant(
  graph: Graph,
  variant: VariantOptions,
  options: DirectionOptions & { precision: Precision; model: PreparedModel },
): Promise<VariantEntry> {
  const { direction, precision, model, facts, begin, write } = options;
  const file = variantFile({ direction, precision }, variant);
  await begin(file);
  const made = madeVariant(graph, variant, file);
  const bytes = fileBytes(made, facts);
  await write(file, bytes);
  return { ...fileFields(bytes, { direction, precision, file }, model), ...describeVariant(made, variant) };
}

/** What a model does not allow, such as tiles of one without InstanceNormalization, is an option to be changed. */
function madeVariant(graph: Graph, variant: VariantOptions, file: string): Graph {
  try {
    return variantOf(graph, variant);
  } catch (error) {
    throw graphFailure('usage', file, error);
  }
}

type Measurements = Pick<ModelEntry, 'quality' | 'speed'>;

const unmeasured: Measurements = { quality: null, speed: [] };

async function measured(options: MeasureOptions, pictures: SplitPictures['of']): Promise<Measurements> {
  const { psnr, worst, speed, images } = await measure(options);
  const [, , height = 0, width = 0] = options.images[0]?.shape ?? [];
  const machine = { device: 'cpu', threads: availableParallelism(), machine: cpuName() } as const;
  return {
    // Below 0 dB there is nothing left of the picture.
    quality: { psnr: Math.max(0, psnr), worst: Math.max(0, worst), images, of: pictures },
    speed: [{ ...machine, ratio: Math.min(speed, 1000), width, height }],
  };
}

function cpuName(): string {
  return (cpus()[0]?.model.trim() || 'unknown').slice(0, 200);
}

/** Only what was calibrated is flattered by its calibration's pictures. */
function of(pictures: SplitPictures, precision: Precision): SplitPictures['of'] {
  return pictures.of === 'calibration' && precision !== 'int8' ? 'held-out' : pictures.of;
}
