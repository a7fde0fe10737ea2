/**
 * Any ONNX file that turns images into feature vectors: opened, asked what it takes, and run in batches. Which network
 * it is, and so what FID means, is whoever made the file's; see docs/evaluation.md.
 */
import { readFile } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { CycleganError, toByte } from '@cyclegan/runtime-core';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { createFeatureInput, type FeatureInput, type FeatureRange } from './feature-input.js';
import type { Features } from './features.js';
import { type ImageShape, imageCount, imageElements } from './image-shape.js';

/** Images a run; more make it no faster on a CPU, and take memory. */
const BATCH = 8;
/** What Inception takes. */
const DEFAULT_SIZE = 299;
const MAX_SIZE = 2048;
const MAX_DIMENSIONS = 16_384;

export interface FeatureModelOptions {
  /** The ONNX file: one float32 input [N, 3, H, W], first output [N, D] or [N, D, 1, 1]. */
  model: string;
  /** Edge of its input, pixels; default: what the file says, else 299. */
  size?: number | undefined;
  /** Default `signed`. */
  range?: FeatureRange | undefined;
  /** Default `cpu`; what CUDA cannot run stays on the CPU. */
  device?: 'cpu' | 'cuda' | undefined;
  threads?: number | undefined;
}

export interface FeatureModel {
  /** Edge of the model's input, pixels. */
  readonly size: number;
  /** Features of an image. */
  readonly dimensions: number;
  /**
   * Features of images as files of 8 bits would hold them, stretched to the model's size.
   * @param images [N, channels, height, width] on [−1, 1], of 1 or 3 channels; left as they are
   */
  describe(images: Float32Array, shape: ImageShape): Promise<Features>;
  /** Frees the sessions. Idempotent. */
  dispose(): Promise<void>;
}

/**
 * Opens the file and runs it once.
 * @throws CycleganError `bundle` for a file that is no such model, `usage` for a size that it does not take
 */
export async function openFeatureModel(options: FeatureModelOptions): Promise<FeatureModel> {
  const { model, range = 'signed', threads } = options;
  const session = await openSession(options);
  const inputs = new Map<string, FeatureInput>();
  const close = async () => {
    await session.release();
    for (const input of inputs.values()) await input.release();
  };
  let closed: Promise<void> | undefined;
  try {
    const { fixedBatch, size } = inspect(session, options);
    const run = (images: Tensor) => runModel(session, images, model);
    const trialBatch = fixedBatch ?? 1;
    const trial = new Float32Array(trialBatch * 3 * size * size);
    const { length } = await run(new Tensor('float32', trial, [trialBatch, 3, size, size]));
    const dimensions = length / trialBatch;

    return {
      size,
      dimensions,
      async describe(images, shape) {
        const { channels, height, width } = shape;
        const key = [channels, height, width].join();
        const input = inputs.get(key) ?? (await createFeatureInput({ ...shape, size, range, threads }));
        inputs.set(key, input);
        const elements = imageElements(shape);
        const count = imageCount(images, shape);
        const data = new Float32Array(count * dimensions);
        const step = fixedBatch ?? BATCH;
        for (let from = 0; from < count; from += step) {
          // onnxruntime holds up the thread; signals come in between.
          await setImmediate();
          const taken = Math.min(step, count - from);
          const batch = fixedBatch ?? taken;
          const chunk = new Float32Array(batch * elements);
          chunk.set(images.subarray(from * elements, (from + taken) * elements).map(asFile));
          const vectors = await run(await input.prepare(chunk, batch));
          data.set(vectors.subarray(0, taken * dimensions), from * dimensions);
        }
        return { count, dimensions, data };
      },
      dispose() {
        closed ??= close();
        return closed;
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What a file of 8 bits keeps of a value. */
function asFile(value: number): number {
  return toByte(value) / 127.5 - 1;
}

async function openSession({
  model,
  device = 'cpu',
  threads,
}: FeatureModelOptions): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(await readFile(model), {
      executionProviders: device === 'cpu' ? ['cpu'] : [device, 'cpu'],
      // Failures come as errors; the native log would print them a second time.
      logSeverityLevel: 4,
      ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
    });
  } catch (cause) {
    throw refused(model, 'an ONNX file that onnxruntime can open', reasonOf(cause), cause);
  }
}

/** What the model takes, by its own words and the options'. */
function inspect(
  session: InferenceSession,
  { model, size }: FeatureModelOptions,
): { fixedBatch: number | undefined; size: number } {
  const [input, ...others] = session.inputMetadata;
  const wanted = 'a model with one float32 input [N, 3, H, W]';
  if (!input || others.length > 0) throw refused(model, wanted, `${session.inputNames.length} inputs`);
  const shape = input.isTensor ? input.shape : [];
  const type = input.isTensor ? input.type : 'no tensor';
  // A free dimension is a name, or −1.
  const [batch, channels, height, width] = shape.map((dim) =>
    typeof dim === 'number' && dim > 0 ? dim : undefined,
  );
  if (type !== 'float32' || shape.length !== 4 || (channels ?? 3) !== 3 || height !== width) {
    throw refused(model, wanted, `${type} [${shape.join(', ')}]`);
  }
  if (size !== undefined && height !== undefined && size !== height) {
    throw new CycleganError(
      'usage',
      `[train] feature model ${model}: expected a size of ${height}, which it is made for, got ${size}. Leave the size out.`,
    );
  }
  const chosen = size ?? height ?? DEFAULT_SIZE;
  if (!Number.isSafeInteger(chosen) || chosen < 1 || chosen > MAX_SIZE) {
    throw new CycleganError(
      'usage',
      `[train] feature model ${model}: expected a size from 1 to ${MAX_SIZE} pixels, got ${chosen}. Choose another.`,
    );
  }
  return { fixedBatch: batch, size: chosen };
}

/** The first output, a vector for each image. */
async function runModel(session: InferenceSession, images: Tensor, model: string): Promise<Float32Array> {
  const [name = ''] = session.outputNames;
  let output: Tensor | undefined;
  try {
    output = (await session.run({ [session.inputNames[0] ?? '']: images }, [name]))[name];
  } catch (cause) {
    throw refused(model, `a model that takes [${images.dims.join(', ')}]`, reasonOf(cause), cause);
  }
  const { dims = [], data } = output ?? {};
  const [count, length = 0, ...rest] = dims;
  const vectors = data instanceof Float32Array && count === images.dims[0] && rest.every((dim) => dim === 1);
  if (!vectors || dims.length < 2 || length < 1 || length > MAX_DIMENSIONS) {
    throw refused(
      model,
      `a first output of float32 [N, D], one vector for each image and D at most ${MAX_DIMENSIONS}`,
      `${output?.type} [${dims.join(', ')}] for ${images.dims[0]} images`,
    );
  }
  return data;
}

function refused(model: string, expected: string, got: string, cause?: unknown): CycleganError {
  return new CycleganError(
    'bundle',
    `[train] feature model ${model}: expected ${expected}, got ${got}. Make one as docs/evaluation.md shows.`,
    { cause },
  );
}

function reasonOf(cause: unknown): string {
  const [line = ''] = (cause instanceof Error ? cause.message : String(cause)).split('\n');
  return `"${line.slice(0, 300)}"`;
}
