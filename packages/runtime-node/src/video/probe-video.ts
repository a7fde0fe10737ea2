/**
 * What a video file holds, as ffprobe tells it: sizes, rates, streams. Reads no picture; everything is checked and
 * bounded here before memory is taken.
 */
import { stat } from 'node:fs/promises';
import { assertImageSize, CycleganError, MAX_PIXELS } from '@cyclegan/runtime-core';
import { z } from 'zod';
import { type Ending, fileUrl, readable, start } from './ffmpeg.js';

export interface VideoFacts {
  /** Of the frames as they are shown: upright. */
  width: number;
  height: number;
  /** Of one pixel, such as `4:3`; null for square ones and where nothing is said. */
  pixelShape: string | null;
  codec: string;
  /** Seconds that a time stamp counts, as a fraction. */
  timeBase: Fraction;
  /** Frames a second on the average; null where nothing is said. */
  rate: Fraction | null;
  /** Between two frames, in units of the time base; what is likely where the stamps say nothing. */
  step: number;
  /** Of the pictures, seconds; null where nothing is said. */
  seconds: number | null;
  interlaced: boolean;
  /** Colours are wider or brighter than sRGB's. */
  highDynamicRange: boolean;
  /** The matrix from luma and colour differences, as ffmpeg's scaler names it. */
  matrix: 'auto' | 'bt709';
  audioStreams: number;
}

export interface Fraction {
  over: number;
  under: number;
}

/**
 * Before the input's path: files of real containers alone. Playlists and lists, which name other files, are refused
 * whatever the extension says, and so are pictures that are too large.
 */
export const inputLimits: readonly string[] = [
  '-protocol_whitelist',
  'file,pipe',
  '-format_whitelist',
  'mov,matroska,avi,mpegts,mpeg,flv,asf,ogg',
  '-max_pixels',
  String(MAX_PIXELS),
];

const fraction = z
  .string()
  .max(40)
  .transform((text): Fraction | null => {
    const [over = 0, under = 0] = text.split(/[/:]/).map(Number);
    const whole = [over, under].every((each) => Number.isSafeInteger(each) && each > 0 && each < 2 ** 31);
    return whole ? { over, under } : null;
  })
  .nullable()
  .catch(null);
const seconds = z.coerce.number().positive().nullable().catch(null);

const streamSchema = z.object({
  codec_type: z.string().catch('unknown'),
  codec_name: z.string().catch('unknown'),
  width: z.number().int().catch(0),
  height: z.number().int().catch(0),
  sample_aspect_ratio: fraction,
  avg_frame_rate: fraction,
  r_frame_rate: fraction,
  time_base: fraction,
  duration: seconds,
  field_order: z.string().catch('unknown'),
  color_space: z.string().catch('unknown'),
  color_transfer: z.string().catch('unknown'),
  disposition: z.object({ attached_pic: z.number().catch(0) }).catch({ attached_pic: 0 }),
  tags: z.object({ DURATION: z.string().catch('') }).catch({ DURATION: '' }),
  side_data_list: z.array(z.object({ rotation: z.number().catch(0) })).catch([]),
});
const answerSchema = z.object({
  streams: z.array(streamSchema).max(10_000),
  format: z.object({ duration: seconds }).catch({ duration: null }),
});

/** More than any file's facts come to. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/**
 * @throws CycleganError `input`: no such file, no ffprobe, not a video, or frames of a size that is refused; `aborted`
 */
export async function probeVideo(path: string, signal: AbortSignal): Promise<VideoFacts> {
  await assertFile(path);
  const { streams, format, said } = await ask(path, signal);
  const video = streams.find((each) => each.codec_type === 'video' && each.disposition.attached_pic === 0);
  if (!video) throw refused(path, 'no moving pictures');
  if (video.width === 0 || video.height === 0) throw refused(path, `"${said ?? 'pictures of no size'}"`);
  const turn = video.side_data_list.find(({ rotation }) => rotation !== 0)?.rotation ?? 0;
  const sideways = Math.abs((Math.abs(turn) % 180) - 90) < 1;
  const [width, height] = sideways ? [video.height, video.width] : [video.width, video.height];
  assertImageSize(path, { width, height });
  const { over = 1, under = 1 } = video.sample_aspect_ratio ?? {};
  const timeBase = video.time_base ?? { over: 1, under: 90_000 };
  const rate = video.avg_frame_rate ?? video.r_frame_rate;
  const alone = streams.length === 1 ? format.duration : null;
  return {
    width,
    height,
    pixelShape: over === under ? null : sideways ? `${under}:${over}` : `${over}:${under}`,
    codec: video.codec_name,
    timeBase,
    rate,
    step: rate ? Math.max(1, Math.round((rate.under * timeBase.under) / (rate.over * timeBase.over))) : 1,
    seconds: video.duration ?? clockSeconds(video.tags.DURATION) ?? alone,
    interlaced: ['tt', 'bb', 'tb', 'bt'].includes(video.field_order),
    highDynamicRange: ['smpte2084', 'arib-std-b67'].includes(video.color_transfer),
    // What says nothing of its colours is shown as BT.709 by players from 720 lines on; ffmpeg would take BT.601.
    matrix: video.color_space === 'unknown' && video.height >= 720 ? 'bt709' : 'auto',
    audioStreams: streams.filter((each) => each.codec_type === 'audio').length,
  };
}

/** Opening a pipe or a device could wait for ever. */
async function assertFile(path: string): Promise<void> {
  const found = await stat(path).catch((cause) => {
    throw refused(path, `"${cause.message}"`, cause);
  });
  if (!found.isFile()) throw refused(path, 'something that is not a file');
}

async function ask(
  path: string,
  signal: AbortSignal,
): Promise<z.infer<typeof answerSchema> & Pick<Ending, 'said'>> {
  const fields =
    'stream=codec_type,codec_name,width,height,sample_aspect_ratio,avg_frame_rate,r_frame_rate,time_base,duration,field_order,color_space,color_transfer:stream_disposition=attached_pic:stream_tags=DURATION:stream_side_data=rotation:format=duration';
  const { child, ended } = await start({
    program: 'ffprobe',
    args: ['-v', 'error', ...inputLimits, '-of', 'json', '-show_entries', fields, fileUrl(path)],
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  });
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of readable(child.stdout) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= MAX_ANSWER_BYTES) chunks.push(chunk);
  }
  const { failure, said } = await ended;
  if (signal.aborted) throw new CycleganError('aborted', `[video] ${path}: stopped on request.`);
  if (failure !== null) throw refused(path, `"${failure}"`);
  if (bytes > MAX_ANSWER_BYTES) throw refused(path, 'a file with too many streams');
  const answer = answerSchema.safeParse(JSON.parse(Buffer.concat(chunks).toString('utf8')));
  if (!answer.success) throw refused(path, 'facts that make no sense', answer.error);
  return { ...answer.data, said };
}

/** From Matroska's `00:01:02.345`. */
function clockSeconds(text: string): number | null {
  const [, hours, minutes, rest] = /^(\d+):(\d+):(\d+(?:\.\d+)?)$/.exec(text) ?? [];
  const total = Number(hours) * 3600 + Number(minutes) * 60 + Number(rest);
  return total > 0 ? total : null;
}

/** The one sentence about a file that is no video, or a damaged one. */
export function refused(path: string, got: string, cause?: unknown): CycleganError {
  return new CycleganError(
    'input',
    `[video] ${path}: expected a whole video file (MP4, MOV, MKV, WebM, AVI, MPEG), got ${got}. Replace or remove it.`,
    { cause },
  );
}
