/**
 * Frames through pipes: raw pixels with their time stamps out of one ffmpeg, and into another. Pictures cross as bare
 * bytes, so that the time stamps come beside them (one line each on a pipe of their own) and go in IVF's frame headers.
 */
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/** An RGB frame in memory of its own. */
export interface RawFrame {
  data: Uint8Array<ArrayBuffer>;
  /** In units of the time base; rising from frame to frame. */
  time: number;
}

/** Filters that print a line with the time stamp of each frame to the pipe with this number. */
export function timeStampFilters(pipe: number): string[] {
  return ['metadata=mode=add:key=t:value=1', `metadata=mode=print:direct=1:file=pipe\\\\:${pipe}`];
}

/**
 * The frames of a decoder, each as soon as it is whole; the pipe is read no faster than they are taken.
 * @param bytes of one frame
 * @param lines what {@link timeStampFilters} print
 * @param step between frames that have no time stamp
 */
export async function* readFrames(
  pixels: Readable,
  lines: Readable,
  { bytes, step }: { bytes: number; step: number },
): AsyncGenerator<RawFrame> {
  const times = timeStamps(lines);
  let time: number | undefined;
  let data = new Uint8Array(bytes);
  let filled = 0;
  for await (const chunk of pixels as AsyncIterable<Buffer>) {
    for (let from = 0; from < chunk.length; ) {
      const taken = Math.min(bytes - filled, chunk.length - from);
      data.set(chunk.subarray(from, from + taken), filled);
      filled += taken;
      from += taken;
      if (filled < bytes) continue;
      const { value } = await times.next();
      const last = time;
      time = last === undefined ? (value ?? 0) : Math.max(value ?? last + step, last + 1);
      yield { data, time };
      data = new Uint8Array(bytes);
      filled = 0;
    }
  }
}

/** Null where a frame has none. */
async function* timeStamps(lines: Readable): AsyncGenerator<number | null, undefined> {
  for await (const line of createInterface({ input: lines })) {
    const [, text] = /^frame:\S+\s+pts:(\S+)/.exec(line) ?? [];
    if (text === undefined) continue;
    const time = Number(text);
    yield Number.isSafeInteger(time) ? time : null;
  }
  return undefined;
}

/** Raw frames as an IVF stream, which ffmpeg reads with `-f ivf`. */
export interface FrameWriter {
  /** Resolves when the pipe has taken the frame. Rejects when its reader has gone. */
  write(rgb: Uint8Array, time: number): Promise<void>;
  /** No more frames. */
  end(): void;
}

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 12;
/** Interleaved bytes, blue first. */
const FOUR_CC = 'RV24';

export function createFrameWriter(
  pipe: Writable,
  format: { width: number; height: number; timeBase: { over: number; under: number } },
): FrameWriter {
  const { width, height, timeBase } = format;
  const header = Buffer.alloc(HEADER_BYTES);
  header.write('DKIF', 0, 'latin1');
  header.writeUInt16LE(HEADER_BYTES, 6);
  header.write(FOUR_CC, 8, 'latin1');
  header.writeUInt16LE(width, 12);
  header.writeUInt16LE(height, 14);
  header.writeUInt32LE(timeBase.under, 16);
  header.writeUInt32LE(timeBase.over, 20);
  pipe.write(header);

  return {
    async write(rgb, time) {
      const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + rgb.length);
      frame.writeUInt32LE(rgb.length, 0);
      frame.writeBigInt64LE(BigInt(time), 4);
      for (let from = 0, to = FRAME_HEADER_BYTES; from < rgb.length; from += 3, to += 3) {
        frame[to] = rgb[from + 2] ?? 0;
        frame[to + 1] = rgb[from + 1] ?? 0;
        frame[to + 2] = rgb[from] ?? 0;
      }
      // The call's own answer, for a pipe whose reader has gone may never drain nor fail aloud.
      await new Promise<void>((resolve, reject) => {
        pipe.write(frame, (error) => (error ? reject(error) : resolve()));
      });
    },
    end: () => void pipe.end(),
  };
}
