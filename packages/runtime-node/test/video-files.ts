/** What the tests of videos share: ffmpeg as a process, clips made with it, and what a file holds by its word. */
import { execFileSync, spawnSync } from 'node:child_process';

const MAX_BUFFER = 256 * 1024 * 1024;

/** Whether videos can be tested here. */
export const videoTools = ['ffmpeg', 'ffprobe'].every(
  (program) => spawnSync(program, ['-version'], { stdio: 'ignore' }).status === 0,
);
if (!videoTools) console.warn('SKIPPED tests of videos: no ffmpeg was found.');

export function ffmpeg(...args: string[]): Buffer {
  return execFileSync('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...args], { maxBuffer: MAX_BUFFER });
}

export interface ClipOptions {
  size?: string;
  rate?: string;
  seconds?: number;
  /** Options for the codecs. */
  codec?: readonly string[];
  audio?: boolean;
}

/** A test picture in motion, with a tone. */
export function makeClip(path: string, options: ClipOptions = {}): void {
  const { size = '64x48', rate = '30000/1001', seconds = 0.5, codec = [], audio = true } = options;
  const picture = ['-f', 'lavfi', '-i', `testsrc2=s=${size}:r=${rate}:d=${seconds}`];
  const tone = ['-f', 'lavfi', '-i', `sine=d=${seconds}`, '-map', '0:v', '-map', '1:a'];
  ffmpeg(...picture, ...(audio ? tone : []), ...codec, `file:${path}`);
}

export interface StreamFacts {
  codec_type: string;
  codec_name: string;
  width: number;
  height: number;
  pix_fmt: string;
  avg_frame_rate: string;
  sample_aspect_ratio: string;
  start_time: string;
  color_space: string;
}

export function streamsOf(path: string): StreamFacts[] {
  const args = ['-v', 'error', '-of', 'json', '-show_streams', `file:${path}`];
  return JSON.parse(execFileSync('ffprobe', args, { encoding: 'utf8' })).streams;
}

export function pictureOf(path: string): StreamFacts {
  const found = streamsOf(path).find(({ codec_type }) => codec_type === 'video');
  if (!found) throw new Error(`${path} has no pictures`);
  return found;
}

/** When each frame is shown, seconds. */
export function timesOf(path: string): number[] {
  const fields = ['-select_streams', 'V:0', '-show_entries', 'frame=pts_time', '-of', 'json'];
  const answer = execFileSync('ffprobe', ['-v', 'error', ...fields, `file:${path}`], { encoding: 'utf8' });
  const { frames }: { frames: { pts_time: string }[] } = JSON.parse(answer);
  return frames.map(({ pts_time }) => Number(pts_time));
}

/** Of the packets of sound, as they lie in the file. */
export function soundHash(path: string): string {
  return ffmpeg('-i', `file:${path}`, '-map', '0:a', '-c', 'copy', '-f', 'md5', 'pipe:1').toString();
}

/** RGB frames, upright. */
export function framesOf(path: string, { width, height }: { width: number; height: number }): Buffer[] {
  const raw = ['-map', '0:V:0', '-vsync', 'passthrough', '-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1'];
  const bytes = ffmpeg('-i', `file:${path}`, ...raw);
  const length = width * height * 3;
  return Array.from({ length: bytes.length / length }, (_, i) =>
    bytes.subarray(i * length, (i + 1) * length),
  );
}

/** The mean difference of two frames, in levels. */
export function meanDifference(one: Uint8Array, other: Uint8Array): number {
  if (one.length !== other.length) return Number.POSITIVE_INFINITY;
  return one.reduce((sum, value, i) => sum + Math.abs(value - (other[i] ?? 0)), 0) / one.length;
}

/** The mean difference of blocks of 8², which a codec keeps where it loses finer things. */
export function softDifference(one: Uint8Array, other: Uint8Array, width: number): number {
  const blocks = (frame: Uint8Array) => {
    const columns = Math.floor(width / 8);
    const sums = new Float64Array(columns * Math.floor(frame.length / width / 24) * 3);
    for (let at = 0; at < frame.length; at += 1) {
      const [x, y] = [(Math.floor(at / 3) % width) >> 3, Math.floor(at / 3 / width) >> 3];
      const block = 3 * (y * columns + x) + (at % 3);
      if (x < columns && block < sums.length) sums[block] = (sums[block] ?? 0) + (frame[at] ?? 0) / 64;
    }
    return Uint8Array.from(sums);
  };
  return meanDifference(blocks(one), blocks(other));
}
