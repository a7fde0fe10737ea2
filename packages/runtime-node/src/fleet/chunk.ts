/**
 * One chunk through a translator: every image gets one output, however often the chunk runs. What is an image's own
 * fault is written down and goes no further; what is not is thrown, for the queue to try the chunk again.
 */
import { CycleganError, isCycleganError } from '@cyclegan/runtime-core';
import type { LimitFunction } from 'p-limit';
import { formatOf } from '../files/plan.js';
import { hashInput, translationKey } from '../files/translation-key.js';
import { translateImage } from '../images/translate-image.js';
import type { NodeTranslator } from '../translator/translator.js';
import { failureOf, type Ledger } from './ledger.js';
import type { Outputs } from './outputs.js';
import type { Batch, Chunk, ImageReference } from './records.js';
import type { Storage } from './storage/index.js';

export type ImageOutcome = 'translated' | 'there' | 'failed';

export interface ChunkWork {
  id: string;
  batch: Batch;
  chunk: Chunk;
  translator: NodeTranslator;
  from: Storage;
  to: Storage;
  ledger: Ledger;
  outputs: Outputs;
  /** Bounds the images in hand, of all chunks. */
  limit: LimitFunction;
  /** Whether another image may be begun. */
  mayBegin(): boolean;
  /** Whether this is the last try: then errors that nobody knows are the image's. */
  last: boolean;
  onImage(outcome: ImageOutcome): void;
}

/** After as many, an image whose workers died over it is not tried again. */
const MOST_DEATHS = 3;

/**
 * @returns `rest` where images are left because none may be begun, `cancelled` where the batch is
 * @throws the first error that is no image's fault, when nothing is in hand any more
 */
export async function runChunk(work: ChunkWork): Promise<'through' | 'rest' | 'cancelled'> {
  const { ledger, limit } = work;
  const indices = work.chunk.images.map(([index]) => index);
  const done = await ledger.areDone(indices);
  const begun = await ledger.begun(indices);
  let cancelled = false;
  let rest = false;

  async function attempt(image: ImageReference): Promise<void> {
    if (cancelled) return;
    if (!work.mayBegin()) {
      rest = true;
      return;
    }
    const number = await ledger.begin(image[0]);
    if (number === null) cancelled = true;
    else await runImage(work, image, number);
  }

  const fresh: ImageReference[] = [];
  for (const [i, image] of work.chunk.images.entries()) {
    if (done[i]) continue;
    const deaths = begun[i] ?? 0;
    if (deaths >= MOST_DEATHS) {
      await ledger.failed(failureOf(work.chunk.input, image, fatal(image, deaths)));
      work.onImage('failed');
    }
    // Alone, so that a worker's death is blamed on the right one.
    else if (deaths > 0) await limit(() => attempt(image));
    else fresh.push(image);
  }
  const results = await Promise.allSettled(fresh.map((image) => limit(() => attempt(image))));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
  if (cancelled) return 'cancelled';
  return rest ? 'rest' : 'through';
}

async function runImage(work: ChunkWork, image: ImageReference, number: number): Promise<void> {
  const { ledger, chunk, last, onImage } = work;
  try {
    const outcome = await makeOutput(work, image, number);
    await ledger.done(image[0]);
    onImage(outcome);
  } catch (error) {
    const own = isCycleganError(error) ? error.code === 'input' : last;
    if (!own) {
      await ledger.unbegin(image[0]);
      throw error;
    }
    await ledger.failed(failureOf(chunk.input, image, error));
    onImage('failed');
  }
}

async function makeOutput(
  work: ChunkWork,
  [index, name, renamed]: ImageReference,
  number: number,
): Promise<ImageOutcome> {
  const { id, batch, chunk, translator, from, to, outputs } = work;
  const attempt = { image: `${id}-${index}`, number };
  const under = batch.inputs[chunk.input]?.under ?? '';
  const output = under === '' ? (renamed ?? name) : `${under}/${renamed ?? name}`;
  if (number > 1) await to.tidy(output, attempt);
  const bytes = await from.read(name);
  const format = batch.options.format === 'keep' ? (formatOf(name) ?? 'png') : batch.options.format;
  const options = { ...batch.options, format };
  const key = translationKey({ input: await hashInput(bytes), model: batch.model.sha256, options });
  if ((await outputs.holds(output, key)) && (await to.has(output))) return 'there';
  const { data, type } = await translateImage(translator, bytes, options);
  await to.write(output, data, type, attempt);
  await outputs.record(output, key);
  return 'translated';
}

function fatal([, name]: ImageReference, deaths: number): CycleganError {
  return new CycleganError(
    'input',
    `[fleet] ${name}: expected an image that a worker survives, got one over which ${deaths} ended without a word. Translate it by itself to see why, or give workers more memory.`,
  );
}
