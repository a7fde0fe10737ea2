/**
 * The program's half of a translator: images in and out, progress, abort and disposal, over a pool of workers that
 * compute. Both runtimes are thin adapters of it: they say what an image is, what to try, and what a pool is made of.
 */

import type { ChosenModel } from './choose-models.js';
import { openFirst } from './devices.js';
import { CycleganError, throwIfAborted } from './errors.js';
import type { Manifest } from './manifest.js';
import type { Pixels, TranslatedPixels } from './pixels.js';
import type { Pool } from './pool.js';
import { assertSettings, type TranslationSettings } from './settings.js';
import { createSlots } from './slots.js';
import type { CallOptions, ConcreteDevice, Progress, Translator } from './translator.js';

/** A model on a device, to be tried. */
export interface Candidate extends ChosenModel {
  device: ConcreteDevice;
}

export interface HostOptions<Choice extends Candidate, Image, Output> extends CallOptions {
  manifest: Manifest;
  /** In the order to try. */
  candidates: readonly Choice[];
  settings: TranslationSettings;
  /** Why a device need not be tried, where the runtime knows that without trying. */
  absence?: ((device: ConcreteDevice) => string | undefined) | undefined;
  /** The pool of a candidate: begun by this call, or one that other translators use too. Its `end` is called once. */
  openPool(candidate: Choice, onProgress: (progress: Progress) => void): Pool;
  /** An image as pixels in memory of their own: it is moved to the worker. */
  decode(image: Image): Promise<Pixels>;
  encode(pixels: TranslatedPixels): Output | Promise<Output>;
}

/**
 * Opens the first candidate that passes the self-check and gives the translator.
 * @throws CycleganError `usage` (settings), `device`, `bundle`, `aborted`
 */
export async function createHostedTranslator<Choice extends Candidate, Image, Output>(
  options: HostOptions<Choice, Image, Output>,
): Promise<Translator<Image, Output>> {
  const { manifest, settings, signal } = options;
  assertSettings(settings);
  const { candidate, opened, fallbacks } = await openFirst({
    candidates: options.candidates,
    absence: options.absence,
    open: (each) => openPool(options, each),
    signal,
  });
  const { pool, facts } = opened;
  const { workers, batch } = pool;
  // Decoded, computed and encoded at a time: every worker always finds the next run ready.
  const slots = createSlots(1 + 2 * workers * batch);
  /** One for each call under way; fires with the error that the call rejects with. */
  const calls = new Set<AbortController>();
  let disposal: Promise<void> | undefined;

  /** Does a call's work, and rejects as soon as the caller stops it or the translator is disposed. */
  async function underWay<T>(call: CallOptions, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    throwIfAborted(call.signal, '[translate] image');
    if (disposal) {
      throw new CycleganError(
        'usage',
        '[translate] translator: expected one in use, got one that was disposed. Create a new one.',
      );
    }
    const own = new AbortController();
    const stop = () => own.abort(stopped('[translate] image', call.signal));
    calls.add(own);
    call.signal?.addEventListener('abort', stop);
    try {
      return await untilAborted(work(own.signal), own.signal);
    } finally {
      calls.delete(own);
      call.signal?.removeEventListener('abort', stop);
    }
  }

  return {
    info: {
      direction: candidate.model.direction,
      precision: candidate.model.precision,
      precisionReason: candidate.precisionReason,
      device: candidate.device,
      fallbacks,
      workers,
      batch,
      ...facts,
      settings,
      manifest,
    },
    translate(image, { onProgress, ...call } = {}) {
      return underWay(call, async (own) => {
        const leave = await slots.take(own);
        try {
          const pixels = await options.decode(image);
          own.throwIfAborted();
          const frame = await pool.run({ ...settings, pixels }, { signal: own, onProgress });
          return await options.encode(frame.pixels);
        } finally {
          leave();
        }
      });
    },
    translatePixels(pixels, { statistics, onProgress, ...call } = {}) {
      return underWay(call, async (own) =>
        pool.run({ ...settings, pixels: taken(pixels), statistics }, { signal: own, onProgress }),
      );
    },
    statistics(pixels, { onProgress, ...call } = {}) {
      return underWay(call, async (own) => {
        const job = { ...settings, pixels: taken(pixels), statistics: 'only' } as const;
        const { statistics } = await pool.run(job, { signal: own, onProgress });
        if (!statistics) throw new Error('internal: an answer without statistics');
        return statistics;
      });
    },
    dispose() {
      for (const call of calls) {
        call.abort(new CycleganError('aborted', '[translate] image: the translator was disposed.'));
      }
      disposal ??= pool.end();
      return disposal;
    },
  };
}

async function openPool<Choice extends Candidate, Image, Output>(
  { openPool: open, signal, onProgress }: HostOptions<Choice, Image, Output>,
  candidate: Choice,
) {
  const pool = open(candidate, (progress) => onProgress?.(progress));
  const own = new AbortController();
  const stop = () => own.abort(stopped('[translator] session', signal));
  signal?.addEventListener('abort', stop);
  try {
    return { pool, facts: await untilAborted(pool.opened, own.signal) };
  } catch (error) {
    // Opening may go on for a while in a call that cannot be cut short; nobody has to wait for its end.
    void pool.end();
    throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

function stopped(what: string, signal: AbortSignal | undefined): CycleganError {
  return new CycleganError('aborted', `${what}: stopped on request.`, { cause: signal?.reason });
}

/** The promise, or the signal's reason as soon as it fires. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    promise.then(resolve, reject);
  });
}

/** The pixels in memory that only they are in: moved where that can be, else copied. */
function taken(pixels: Pixels): Pixels {
  const { data } = pixels;
  // Handed in before, and gone since: an image of no bytes, which is refused as such.
  if (data.byteLength === 0) return { ...pixels, data: new Uint8Array() };
  const whole = data.byteLength === data.buffer.byteLength;
  if (!whole || !(data.buffer instanceof ArrayBuffer)) return { ...pixels, data: Uint8Array.from(data) };
  try {
    return { ...pixels, data: new Uint8Array(structuredClone(data.buffer, { transfer: [data.buffer] })) };
  } catch {
    // A Buffer over memory of native code cannot be moved.
    return { ...pixels, data: Uint8Array.from(data) };
  }
}
