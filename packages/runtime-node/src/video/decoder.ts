/**
 * The ffmpeg that takes a video apart into upright RGB frames of one size, each with its own time stamp.
 */
import { fileUrl, keepEveryFrame, QUIET, type Running, readable, start } from './ffmpeg.js';
import { type RawFrame, readFrames, timeStampFilters } from './frames.js';
import { inputLimits, type VideoFacts } from './probe-video.js';

export interface Decoder {
  /** Decoded no faster than they are taken. */
  frames: AsyncGenerator<RawFrame>;
  ended: Running['ended'];
}

/** The file descriptor for time stamps. */
const TIMES_PIPE = 3;

/**
 * @param signal kills it
 * @throws CycleganError `input` where there is no ffmpeg
 */
export async function startDecoder(input: string, facts: VideoFacts, signal: AbortSignal): Promise<Decoder> {
  const { width, height, timeBase, matrix, interlaced, step } = facts;
  const filters = [
    ...(interlaced ? ['yadif=deint=interlaced'] : []),
    // Also where a stream changes its size midway.
    `scale=${width}:${height}:in_color_matrix=${matrix}:flags=bicubic+accurate_rnd+full_chroma_int`,
    `settb=${timeBase.over}/${timeBase.under}`,
    ...timeStampFilters(TIMES_PIPE),
  ];
  const { child, ended } = await start({
    program: 'ffmpeg',
    args: [
      ...[...QUIET, ...inputLimits, '-i', fileUrl(input), '-map', '0:V:0', '-vf', filters.join(',')],
      ...[...(await keepEveryFrame()), '-pix_fmt', 'rgb24', '-f', 'rawvideo', 'pipe:1'],
    ],
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    signal,
  });
  const pipes = [readable(child.stdio[1]), readable(child.stdio[TIMES_PIPE])] as const;
  return { ended, frames: readFrames(...pipes, { bytes: width * height * 3, step }) };
}
