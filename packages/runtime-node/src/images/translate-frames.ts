/**
 * Decoded frames through a translator, in bounded memory: an animation's frames take their inputs' places one by one.
 * Reads and writes no files.
 */
import type { CallOptions, Frame } from '@cyclegan/runtime-core';
import pLimit from 'p-limit';
import type { NodeTranslator } from '../translator/translator.js';
import { canSmooth, createFrameTranslator } from '../video/smooth.js';
import type { Frames } from './image.js';

export interface TranslateFramesOptions extends CallOptions {
  translator: NodeTranslator;
  /** Their memory is gone for the caller, or the result's. */
  frames: Frames;
  /** 0 (none) to below 1. */
  smoothing: number;
  /** Called for every run of the model. */
  onFrame: (frame: Frame) => void;
}

/** @throws CycleganError `aborted`, and what the translator throws */
export async function translateFrames(options: TranslateFramesOptions): Promise<Frames> {
  const { translator, frames, signal, onProgress, onFrame } = options;
  const { width, height, channels, frames: total, data } = frames;
  if (total === 1) {
    const frame = await translator.translatePixels({ width, height, channels, data }, { signal, onProgress });
    onFrame(frame);
    return { ...frame.pixels, frames: 1 };
  }

  const frameTranslator = createFrameTranslator({
    translator: {
      statistics: (pixels, call) => translator.statistics(pixels, call),
      async translatePixels(pixels, call) {
        const frame = await translator.translatePixels(pixels, call);
        onFrame(frame);
        return frame;
      },
    },
    strength: canSmooth(translator) ? options.smoothing : 0,
    signal,
  });
  const { workers, batch } = translator.info;
  // One more than computes, so that the next is there already.
  const limit = pLimit(workers * batch + 1);
  const bytes = width * height * channels;
  let written = channels;
  let done = 0;

  async function translateOne(index: number): Promise<void> {
    const own = data.slice(index * bytes, (index + 1) * bytes);
    const translated = await frameTranslator.translate({ width, height, channels, data: own });
    written = translated.channels;
    // Alpha may be gone: no frame is longer than its input, and those before it have been read.
    data.set(translated.data, index * width * height * written);
    done += 1;
    onProgress?.({ stage: 'frame', done, total });
  }

  try {
    await Promise.all(Array.from({ length: total }, (_, index) => limit(translateOne, index)));
  } catch (error) {
    limit.clearQueue();
    throw error;
  }
  return {
    width,
    height,
    channels: written,
    frames: total,
    data: data.subarray(0, total * width * height * written),
  };
}
