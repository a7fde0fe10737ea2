/**
 * A video file through a translator: one ffmpeg takes it apart into frames, another joins their translations with the
 * sound of the original. Frames are streamed; what is written is whole or not there.
 */
import { CycleganError, throwIfAborted } from '@cyclegan/runtime-core';
import { writeAtomic } from '../files/write.js';
import type { NodeTranslator } from '../translator/translator.js';
import { outputOptions } from './containers.js';
import { startDecoder } from './decoder.js';
import { type Encoder, startEncoder } from './encoder.js';
import type { RawFrame } from './frames.js';
import { probeVideo, refused, type VideoFacts } from './probe-video.js';
import { canSmooth, createFrameTranslator, type FrameTranslator } from './smooth.js';

export interface VideoProgress {
  /** Frames that are translated. */
  done: number;
  /** As the file's length and rate give it, so that it may be a little off; null where they are not said. */
  total: number | null;
}

export interface TranslateVideoOptions {
  translator: Pick<NodeTranslator, 'translatePixels' | 'statistics' | 'info'>;
  /** A path. */
  input: string;
  /** A path; its extension says the container, see `videoExtension`. What is there is replaced. */
  output: string;
  /** 1 to 100; default 92. Of codecs that lose something. */
  quality?: number | undefined;
  /** Of the statistics over time, against flicker: 0 (none) to below 1; default 0.9. Needs the bundle's pair for tiles. */
  smoothing?: number | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: VideoProgress) => void) | undefined;
}

export interface TranslatedVideo {
  output: string;
  width: number;
  height: number;
  frames: number;
  /** From the first frame to the end of the last. */
  seconds: number;
  /** Sound that was copied. */
  audioStreams: number;
  /** The strength that was used: 0 where the bundle cannot smooth. */
  smoothing: number;
  /** Frames at which the smoothing began anew. */
  cuts: number;
  /** What a user should know, a sentence each. */
  notes: string[];
}

export const DEFAULT_SMOOTHING = 0.9;
const DEFAULT_QUALITY = 92;
const WITHOUT_PAIR =
  'Frames were translated each by itself, so that tones may flicker: the bundle has no pair for tiles, which `cyclegan export --tiles` adds.';
const HIGH_DYNAMIC_RANGE =
  'The colours are of high dynamic range and were read as they are: they may look flat.';
/**
 * Translates a video. Time stamps are kept frame by frame, also of a variable rate; rotation is applied, sound is copied.
 * Both programs have ended when this returns or throws, and nothing but the output is left.
 * @throws CycleganError `input` (no ffmpeg, not a video, damaged or cut), `usage` (an option, the output's extension),
 * `output` (it cannot be written or encoded), `aborted`, and what the translator throws
 */
export async function translateVideo(options: TranslateVideoOptions): Promise<TranslatedVideo> {
  const { translator, input, output, quality = DEFAULT_QUALITY, signal } = options;
  const { smoothing = DEFAULT_SMOOTHING } = options;
  assertOption('quality', quality, quality >= 1 && quality <= 100, 'a number from 1 to 100');
  assertOption('smoothing', smoothing, smoothing >= 0 && smoothing < 1, 'a number from 0 to below 1');
  throwIfAborted(signal, '[video] frames');
  const stop = new AbortController();
  const either = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  try {
    const facts = await probeVideo(input, either);
    const encoding = outputOptions(output, facts, quality);
    const strength = canSmooth(translator) ? smoothing : 0;
    const frames = createFrameTranslator({ translator, strength, signal: either });
    const { complaints, ...streamed } = await writeAtomic(output, (draft) =>
      stream({ ...options, facts, encoding, frames, draft, stop, signal: either }),
    );
    const { width, height, audioStreams, highDynamicRange } = facts;
    const notes = [
      ...(complaints > 0 ? [`${complaints} complaints of ffmpeg: parts of it could not be read.`] : []),
      ...(smoothing > 0 && strength === 0 ? [WITHOUT_PAIR] : []),
      ...(highDynamicRange ? [HIGH_DYNAMIC_RANGE] : []),
    ];
    return {
      ...{ output, width, height, audioStreams, ...streamed },
      ...{ smoothing: strength, cuts: frames.cuts(), notes },
    };
  } catch (error) {
    throwIfAborted(signal, '[video] frames');
    throw error;
  } finally {
    stop.abort();
  }
}

interface StreamOptions extends TranslateVideoOptions {
  facts: VideoFacts;
  encoding: readonly string[];
  frames: FrameTranslator;
  draft: string;
  /** Kills both programs, as its own `signal` does. */
  stop: AbortController;
  signal: AbortSignal;
}

interface Streamed {
  frames: number;
  seconds: number;
  /** Lines in which the decoder complained of what it read. */
  complaints: number;
}

async function stream(options: StreamOptions): Promise<Streamed> {
  const { translator, input, facts, stop, frames, signal } = options;
  const { width, height, rate } = facts;
  // One arriving, those that are computed, and one leaving.
  const inFlight = 2 + translator.info.workers * translator.info.batch;
  const total = facts.seconds && rate && Math.round((facts.seconds * rate.over) / rate.under);
  const decoder = await startDecoder(input, facts, signal);
  let encoder: Encoder | undefined;
  let written = 0;
  let first = 0;
  let last = 0;
  const pending: { time: number; pixels: ReturnType<FrameTranslator['translate']> }[] = [];

  function take({ data, time }: RawFrame): void {
    const pixels = frames.translate({ width, height, channels: 3, data });
    // A failure is heard of when the frame's turn comes.
    pixels.catch(() => undefined);
    pending.push({ time, pixels });
  }

  async function writeOldest(): Promise<void> {
    const oldest = pending.shift();
    if (!oldest) return;
    const { data } = await oldest.pixels;
    if (!encoder) {
      first = oldest.time;
      encoder = await startEncoder({ ...options, begin: first });
    }
    await encoder.write(data, oldest.time);
    last = oldest.time;
    written += 1;
    options.onProgress?.({ done: written, total });
  }

  try {
    for await (const frame of decoder.frames) {
      take(frame);
      if (pending.length >= inFlight) await writeOldest();
    }
    const { failure, complaints } = await decoder.ended;
    if (failure !== null) throw refused(input, `"${failure}"`);
    while (pending.length > 0) await writeOldest();
    const seconds = ((last + facts.step - first) * facts.timeBase.over) / facts.timeBase.under;
    if (!encoder) throw refused(input, 'no frames');
    assertWhole(input, seconds, facts);
    await encoder.finish();
    return { frames: written, seconds, complaints };
  } finally {
    stop.abort();
    const answers = pending.map(({ pixels }) => pixels.catch(() => undefined));
    await Promise.all([decoder.ended, encoder?.ended, ...answers]);
  }
}

/** A file that was cut is decoded to its end without a word. */
function assertWhole(input: string, seconds: number, facts: VideoFacts): void {
  const expected = facts.seconds ?? 0;
  const frame = facts.rate ? facts.rate.under / facts.rate.over : 0;
  if (seconds + 2 * frame + Math.min(1, expected / 10) >= expected) return;
  throw refused(input, `${seconds.toFixed(2)} s of pictures where it names ${expected.toFixed(2)} s`);
}

function assertOption(what: string, value: number, fits: boolean, expected: string): void {
  if (fits) return;
  throw new CycleganError(
    'usage',
    `[video] ${what}: expected ${expected}, got ${value}. Leave it out for the default.`,
  );
}
