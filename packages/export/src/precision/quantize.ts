/**
 * A float32 graph to one that onnxruntime computes on 8-bit integers where that costs no more quality than it may. What
 * is done for it step by step is in the files beside this one.
 */
import { formatShape, type Graph, type Value, writeOnnx } from '@cyclegan/graph';
import type { Tensor } from '@cyclegan/model';
import { CycleganError } from '@cyclegan/runtime-core';
import { choose } from './choose.js';
import { type Convolution, convolutionsOf, multiplications } from './convolutions.js';
import { type ObserveOptions, observe } from './observe.js';
import { openJudge, pause, type Quality, sameQuality } from './quality.js';
import { splitNarrow } from './split-narrow.js';
import { restoreTransposed, withoutTransposed } from './transposed.js';
import { writeIntegers } from './write-integers.js';

export interface QuantizeOptions {
  /**
   * [N, C, H, W] on [-1, 1], of the kind that the model translates: from what they make of its values the ranges come.
   * Looked at once each, one after the other.
   */
  calibration: Iterable<Tensor> | AsyncIterable<Tensor>;
  /** Likewise, and best none of the calibration's: what the error is measured on. At least one. */
  evaluation: readonly Tensor[];
  /** Default `percentile`, whose errors were the smallest on trained models. */
  method?: ObserveOptions['method'] | undefined;
  /** Of `percentile`, above 50 to 100; default 99.999. */
  percentile?: number | undefined;
  /** In dB against float32, as {@link Quality} has it; default 35. */
  psnrTarget?: number | undefined;
  /**
   * 7 bits for weights. Without it, integer instructions older than AVX512-VNNI and AVX-VNNI may pass 16 bits where
   * large weights meet large values. (onnxruntime's `session.x64quantprecision`, made against that, keeps version 1.30
   * from opening these models.)
   * Default false.
   */
  reduceRange?: boolean | undefined;
  signal?: AbortSignal | undefined;
  /** Counts trials; of calibration it tells the images. */
  onProgress?: ((progress: { done: number; total: number; what: string }) => void) | undefined;
}

/** What became of a convolution. */
export interface QuantizedConvolution {
  /** The node's. */
  name: string;
  /** Output channels, input channels of a group, kernel height and width. */
  weights: readonly number[];
  /** What it takes of the multiplications of all convolutions, on images of the evaluation's first size. */
  share: number;
  /** With it alone on integers, in dB; null where that was not tried. */
  psnr: number | null;
  precision: 'int8' | 'fp32';
  /**
   * Why it stayed float32: `narrow` ones have too few channels to gain anything, and `sensitive` ones cost more
   * quality than the target leaves.
   */
  reason: 'narrow' | 'sensitive' | null;
}

export interface QuantizeReport {
  method: ObserveOptions['method'];
  calibrationImages: number;
  psnrTarget: number;
  /** Of the graph returned, against the one given. */
  quality: Quality;
  convolutions: QuantizedConvolution[];
}

/**
 * Puts every convolution on integers that gains by it, then takes back those that harm most for the work they save,
 * until the target holds. What is not a convolution stays float32.
 * @param graph one float32 input and output, each [N, C, H, W]
 * @returns a new graph with the same interface, and what was measured; where the target leaves no convolution on
 *   integers, the very graph given
 * @throws CycleganError `usage` (an option), `input` (no images, or of a wrong shape), `bundle` (a model of another
 *   kind, or one that gives no numbers), `aborted`
 */
export async function quantize(
  graph: Graph,
  options: QuantizeOptions,
): Promise<{ graph: Graph; report: QuantizeReport }> {
  const {
    calibration,
    evaluation,
    method = 'percentile',
    percentile = 99.999,
    psnrTarget = 35,
    signal,
  } = options;
  checkOptions(options);
  const input = inputOf(graph);
  for (const image of evaluation) checkImage(input, image);
  const split = splitNarrow(graph);
  const prepared = await withoutTransposed(split);
  const all = convolutionsOf(prepared);
  const candidates = all.filter(({ narrow }) => !narrow);
  const progress = trialCounter(candidates.length, options);

  const watched = new Set(candidates.flatMap(({ source, result }) => [source, result]));
  const { ranges, images } = await observe({
    graph: prepared,
    values: [...watched],
    images: calibration,
    method,
    percentile,
    async onImage(image, done) {
      checkImage(input, image);
      await pause(signal, '[quantize] model');
      progress.say(`calibration, image ${done + 1}`);
    },
  });

  const judge = await openJudge(writeOnnx(graph), { input: input.name, images: evaluation, signal });
  const work = multiplications(prepared, all, evaluation[0]?.shape ?? []);
  const { best, chosen, alone } = await choose({
    candidates: new Map(candidates.map((each) => [each, work.get(each) ?? 0])),
    psnrTarget,
    onTrial: progress.trial,
    async tryOut(convolutions) {
      const largest = options.reduceRange ? 63 : 127;
      const made = restoreTransposed(writeIntegers(prepared, { convolutions, ranges, largest }), split);
      return { graph: made, quality: await judge(writeOnnx(made)) };
    },
  });

  const allWork = [...work.values()].reduce((sum, each) => sum + each, 0);
  const describe = (convolution: Convolution): QuantizedConvolution => ({
    name: convolution.node.name,
    weights: convolution.weight.shape as readonly number[],
    share: (work.get(convolution) ?? 0) / allWork,
    psnr: alone.get(convolution)?.psnr ?? null,
    precision: chosen.has(convolution) ? 'int8' : 'fp32',
    reason: chosen.has(convolution) ? null : convolution.narrow ? 'narrow' : 'sensitive',
  });
  const report: QuantizeReport = {
    method,
    calibrationImages: images,
    psnrTarget,
    quality: best?.quality ?? sameQuality(evaluation.length),
    convolutions: all.map(describe),
  };
  return { graph: best?.graph ?? graph, report };
}

function checkOptions({ evaluation, percentile = 100, psnrTarget = 0 }: QuantizeOptions): void {
  const wrong = (code: 'usage' | 'input', what: string, expected: string, got: unknown) =>
    new CycleganError(code, `[quantize] ${what}: expected ${expected}, got ${got}. Choose another value.`);
  if (!(percentile > 50 && percentile <= 100)) {
    throw wrong('usage', 'percentile', 'above 50 up to 100', percentile);
  }
  if (!(psnrTarget >= 0 && psnrTarget <= 150)) throw wrong('usage', 'PSNR target', '0 to 150 dB', psnrTarget);
  if (evaluation.length === 0) throw wrong('input', 'evaluation', 'images to measure the error on', 'none');
}

function inputOf({ name, inputs, outputs }: Graph): Value {
  const [input] = inputs;
  const [output] = outputs;
  const ends = [...inputs, ...outputs.map(({ value }) => value)];
  if (!input || !output || ends.length !== 2 || ends.some(({ dtype }) => dtype !== 'float32')) {
    const got = ends.map((value) => `${value.dtype}${formatShape(value.shape)}`).join(', ');
    throw new CycleganError(
      'bundle',
      `[quantize] ${name}: expected a model with one float32 input and one such output, got ${got}. Take the float32 model.`,
    );
  }
  return input;
}

function checkImage({ name, shape }: Value, image: Tensor): void {
  const fits =
    image.shape.length === shape.length &&
    shape.every((dim, i) => typeof dim !== 'number' || dim === image.shape[i]);
  if (fits) return;
  throw new CycleganError(
    'input',
    `[quantize] ${name}: expected images of ${formatShape(shape)}, got ${formatShape(image.shape)}. Give them as the model takes them.`,
  );
}

/** As many trials as there are candidates, and some more to find out how many of them are too many. */
function trialCounter(candidates: number, { signal, onProgress }: QuantizeOptions) {
  const total = candidates + Math.ceil(Math.log2(candidates + 1)) + 1;
  let done = 0;
  const say = (what: string) => onProgress?.({ done, total, what });
  return {
    say,
    async trial(what: string): Promise<void> {
      await pause(signal, '[quantize] model');
      say(what);
      done = Math.min(done + 1, total);
    },
  };
}
