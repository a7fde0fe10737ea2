/**
 * Between what a graph's values lie while it translates images. Runs the graph in onnxruntime; what the ranges are for
 * it does not know.
 */
import { fixedShape, type Graph, prune, ReduceMax, ReduceMin, type Value, writeOnnx } from '@cyclegan/graph';
import type { Tensor } from '@cyclegan/model';
import { CycleganError } from '@cyclegan/runtime-core';
import { floats, type GraphSession } from '../ort/graph-session.js';
import { openCpuSession } from '../ort/session.js';
import type { Range } from './eight-bits.js';
import { follow } from './follow.js';
import { createHistogram, type Histogram } from './histogram.js';

export interface ObserveOptions {
  graph: Graph;
  /** Of the graph, float32; each once. */
  values: readonly Value[];
  /** [N, C, H, W] as the graph's only input takes them. Each is asked for when the one before is done with. */
  images: Iterable<Tensor> | AsyncIterable<Tensor>;
  /**
   * `minmax` takes all values in; the others leave out the rarest, which makes the steps finer for all else: a
   * `percentile`, or what `entropy` says.
   */
  method: 'minmax' | 'percentile' | 'entropy';
  /** Of the values, so many percent are within the range. */
  percentile: number;
  /** Called before each image is looked at. */
  onImage(image: Tensor, done: number): Promise<void>;
}

/** Memory for the values of an image that are looked at together. */
const MOST_BYTES = 128 * 2 ** 20;

/**
 * @returns a range for each value, and how many images there were
 * @throws CycleganError `input` without images, `bundle` where a value is no finite number
 */
export async function observe(
  options: ObserveOptions,
): Promise<{ ranges: Map<Value, Range>; images: number }> {
  const { graph, values, images, method, onImage } = options;
  const histograms = new Map(values.map((value) => [value, createHistogram()]));
  const sessions: Observer[] = [];
  let done = 0;
  try {
    for await (const image of images) {
      await onImage(image, done);
      if (done === 0) {
        const all = method === 'minmax' ? [values] : batches(graph, values, image.shape);
        for (const batch of all) sessions.push(await openObserver(graph, batch, method === 'minmax'));
      }
      for (const { run } of sessions) {
        for (const [value, data] of await run(image)) histograms.get(value)?.add(data);
      }
      done++;
    }
  } finally {
    for (const { dispose } of sessions) await dispose();
  }
  if (done === 0) {
    throw new CycleganError(
      'input',
      '[quantize] calibration: expected images, got none. Give some of the kind that the model translates.',
    );
  }
  const rangeOf = (histogram: Histogram): Range => {
    if (method === 'minmax') return histogram.minMax();
    return method === 'entropy' ? histogram.entropy() : histogram.percentile(options.percentile);
  };
  const ranges = Array.from(histograms, ([value, histogram]) => {
    const range = rangeOf(histogram);
    if (!Number.isFinite(range.min) || !Number.isFinite(range.max)) {
      throw new CycleganError(
        'bundle',
        `[quantize] ${value.name}: expected finite numbers on the calibration images, got ${range.min} to ${range.max}. The model diverges; take another.`,
      );
    }
    return [value, range] as const;
  });
  return { ranges: new Map(ranges), images: done };
}

/** Looks at some of a graph's values. */
interface Observer {
  run(image: Tensor): Promise<[Value, Float32Array][]>;
  dispose: GraphSession['dispose'];
}

/** @param extremes of each value the smallest and the largest element alone */
async function openObserver(old: Graph, values: readonly Value[], extremes: boolean): Promise<Observer> {
  const { graph, places } = follow(old, values);
  for (const [i, place] of places.entries()) {
    const shown = extremes
      ? [ReduceMin, ReduceMax].map((op) => graph.op(op, [place], { keepdims: 0 }))
      : [place];
    for (const [j, each] of shown.entries()) graph.output(`observed ${i} ${j}`, each);
  }
  prune(graph);
  const session = await openCpuSession(writeOnnx(graph), 'all');
  const input = old.inputs[0]?.name ?? '';
  return {
    async run(image) {
      const outputs = await session.run(new Map([[input, floats(image)]]));
      return [...outputs].flatMap(([name, { data }]) => {
        const value = values[Number(name.split(' ')[1])];
        return value && data instanceof Float32Array ? [[value, data] as const] : [];
      });
    },
    dispose: () => session.dispose(),
  };
}

/** The values in groups that together take no more than {@link MOST_BYTES} for an input of this shape. */
function batches(graph: Graph, values: readonly Value[], shape: readonly number[]): Value[][] {
  const { places } = follow(graph, values, shape);
  const all: Value[][] = [];
  let room = 0;
  for (const [i, value] of values.entries()) {
    const sizes = fixedShape(places[i]?.shape ?? [], `quantize ${value.name}`);
    const bytes = sizes.reduce((product, size) => product * size, Float32Array.BYTES_PER_ELEMENT);
    if (all.length === 0 || bytes > room) {
      all.push([]);
      room = MOST_BYTES;
    }
    all.at(-1)?.push(value);
    room -= bytes;
  }
  return all;
}
