/**
 * The ffmpeg that joins translated frames with the sound, the subtitles and the titles of the original.
 */
import { extname } from 'node:path';
import { CycleganError } from '@cyclegan/runtime-core';
import { fileUrl, keepEveryFrame, QUIET, type Running, start } from './ffmpeg.js';
import { createFrameWriter, type FrameWriter } from './frames.js';
import { inputLimits, type VideoFacts } from './probe-video.js';

export interface EncoderOptions {
  /** The original. */
  input: string;
  /** The place that the user named, for messages. */
  output: string;
  /** Where it is written for now. */
  draft: string;
  facts: VideoFacts;
  /** Of the pictures and the file, as `outputOptions` gives them. */
  encoding: readonly string[];
  /** Of the first frame, in units of the time base. */
  begin: number;
  /** Kills it. */
  signal: AbortSignal;
}

export interface Encoder {
  /** @throws CycleganError `output` */
  write: FrameWriter['write'];
  /**
   * Resolves when the file is whole.
   * @throws CycleganError `output`
   */
  finish(): Promise<void>;
  ended: Running['ended'];
}

export async function startEncoder(options: EncoderOptions): Promise<Encoder> {
  const { input, output, draft, facts, encoding, begin, signal } = options;
  const { over, under } = facts.timeBase;
  const sameKind = extname(input).toLowerCase() === extname(output).toLowerCase();
  const { child, ended } = await start({
    program: 'ffmpeg',
    args: [
      // An input begins at zero for ffmpeg; what the pictures are late by is said here.
      ...[...QUIET, '-y', '-itsoffset', String((begin * over) / under), '-f', 'ivf', '-i', 'pipe:0'],
      ...[...inputLimits, '-i', fileUrl(input)],
      ...['-map', '0:v:0', '-map', '1:a?', '-c:a', 'copy'],
      ...(sameKind ? ['-map', '1:s?', '-c:s', 'copy'] : []),
      ...['-map_metadata', '1', '-map_chapters', '1'],
      ...[...(await keepEveryFrame()), '-enc_time_base', `${over}:${under}`, ...encoding, fileUrl(draft)],
    ],
    stdio: ['pipe', 'ignore', 'pipe'],
    signal,
  });
  if (!child.stdin) throw new Error('internal: an encoder without stdin');
  const writer = createFrameWriter(child.stdin, facts);

  async function unwritable(cause?: unknown): Promise<CycleganError> {
    const { failure } = await ended;
    return new CycleganError(
      'output',
      `[video] ${output}: expected ffmpeg to write it, got "${failure ?? 'an early end'}". Free its place, or choose another folder or extension.`,
      { cause },
    );
  }

  return {
    ended,
    write: (rgb, time) =>
      writer.write(rgb, time - begin).catch(async (cause) => {
        throw await unwritable(cause);
      }),
    async finish() {
      writer.end();
      if ((await ended).failure !== null) throw await unwritable();
    },
  };
}
