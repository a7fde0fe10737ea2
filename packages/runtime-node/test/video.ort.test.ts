/** Videos through the tiny bundle: frames, times, sound and size stay as they were. Needs ffmpeg. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  createTranslator,
  isVideo,
  type NodeTranslator,
  translateVideo,
  videoExtension,
} from '@cyclegan/runtime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder, tinyBundle } from './support.ts';
import {
  ffmpeg,
  framesOf,
  makeClip,
  meanDifference,
  pictureOf,
  softDifference,
  soundHash,
  streamsOf,
  timesOf,
  videoTools,
} from './video-files.ts';

it('tells videos by their extension, and what their translations are called', () => {
  expect(['a.mp4', 'B.MOV', 'c.mkv', 'd.webm', 'e.avi'].filter(isVideo)).toHaveLength(5);
  expect(['a.gif', 'b.ts', 'mp4', '.mp4', 'c.png'].filter(isVideo)).toEqual([]);
  expect(['a.MP4', 'b.webm', 'c.avi'].map(videoExtension)).toEqual(['.MP4', '.webm', '.mkv']);
});

/** A codec that loses nothing, and sides that cannot be halved. */
const ODD = ['-vf', 'format=bgr0,crop=51:37', '-c:v', 'ffv1'];

describe.skipIf(!videoTools)('videos (need ffmpeg)', () => {
  let translator: NodeTranslator;
  beforeAll(async () => {
    translator = await createTranslator(tinyBundle, { device: 'cpu', threads: 1 });
  });
  afterAll(() => translator.dispose());

  /** The frame that the translator itself makes of one. */
  async function translated(frame: Buffer, width: number, height: number): Promise<Uint8Array> {
    const { pixels } = await translator.translatePixels({
      width,
      height,
      channels: 3,
      data: Uint8Array.from(frame),
    });
    return pixels.data;
  }

  it('keeps number and times of the frames, and the sound to the bit', async () => {
    const dir = temporaryFolder();
    const [input, output] = [join(dir, 'clip.mp4'), join(dir, 'out', 'clip.mp4')];
    makeClip(input);
    const seen: number[] = [];
    const result = await translateVideo({
      translator,
      input,
      output,
      onProgress: ({ done }) => seen.push(done),
    });
    expect(result).toMatchObject({ output, width: 64, height: 48, frames: 15, audioStreams: 1, cuts: 0 });
    expect(result.seconds).toBeCloseTo(0.5005, 6);
    expect(seen).toEqual(Array.from({ length: 15 }, (_, i) => i + 1));
    expect(timesOf(output)).toEqual(timesOf(input));
    expect(soundHash(output)).toBe(soundHash(input));
    expect(pictureOf(output)).toMatchObject({
      ...{ codec_name: 'h264', pix_fmt: 'yuv420p', width: 64, height: 48 },
      ...{ avg_frame_rate: '30000/1001', color_space: 'bt709' },
    });
    expect(readdirSync(join(dir, 'out'))).toEqual(['clip.mp4']);
    const [first = Buffer.alloc(0)] = framesOf(input, result);
    const [written = Buffer.alloc(0)] = framesOf(output, result);
    expect(softDifference(written, await translated(first, 64, 48), 64)).toBeLessThan(4);
  });

  it('gives what the translator gives of each frame, where the codec loses nothing', async () => {
    const dir = temporaryFolder();
    const [input, output] = [join(dir, 'odd.mkv'), join(dir, 'out.mkv')];
    makeClip(input, { seconds: 0.2, codec: ODD });
    const result = await translateVideo({ translator, input, output, smoothing: 0 });
    expect(pictureOf(output)).toMatchObject({ codec_name: 'ffv1', width: 51, height: 37 });
    const [before, after] = [framesOf(input, result), framesOf(output, result)];
    expect(after).toHaveLength(before.length);
    for (const [i, frame] of before.entries()) {
      expect(meanDifference(after[i] ?? Buffer.alloc(0), await translated(frame, 51, 37))).toBe(0);
    }
  });

  it('keeps a variable rate, and pictures that begin after the sound', async () => {
    const dir = temporaryFolder();
    const [even, input] = [join(dir, 'even.mkv'), join(dir, 'clip.mkv')];
    makeClip(even, { seconds: 0.4, rate: '25', audio: false });
    const uneven = ['-vf', "setpts='(N*N+7)*0.02/TB'", '-vsync', 'passthrough', '-enc_time_base', '1:1000'];
    ffmpeg('-f', 'lavfi', '-i', 'sine=d=2.5', '-i', even, '-map', '1:v', '-map', '0:a', ...uneven, input);
    for (const name of ['out.mkv', 'out.mp4']) {
      const output = join(dir, name);
      await translateVideo({ translator, input, output });
      const [expected, times] = [timesOf(input), timesOf(output)];
      expect(times).toHaveLength(10);
      for (const [i, time] of times.entries()) expect(time).toBeCloseTo(expected[i] ?? 0, 3);
      expect(pictureOf(output).start_time).toMatch(/^0\.14/);
    }
  });

  it('applies rotation, and keeps pixels that are not square', async () => {
    const dir = temporaryFolder();
    const [flat, input, output] = [join(dir, 'flat.mp4'), join(dir, 'turned.mp4'), join(dir, 'out.mp4')];
    makeClip(flat, { seconds: 0.1, codec: ['-vf', 'setsar=4/3'] });
    ffmpeg('-i', flat, '-c', 'copy', '-metadata:s:v', 'rotate=90', input);
    const result = await translateVideo({ translator, input, output });
    expect(result).toMatchObject({ width: 48, height: 64 });
    expect(pictureOf(output)).toMatchObject({ width: 48, height: 64, sample_aspect_ratio: '3:4' });
    const [upright = Buffer.alloc(0)] = framesOf(input, result);
    const [written = Buffer.alloc(0)] = framesOf(output, result);
    expect(softDifference(written, await translated(upright, 48, 64), 48)).toBeLessThan(4);
  });

  it('repeats the last line of an odd side, which H.264 does not have', async () => {
    const dir = temporaryFolder();
    const [input, output] = [join(dir, 'odd.mkv'), join(dir, 'odd.mp4')];
    makeClip(input, { seconds: 0.1, audio: false, codec: ODD });
    await translateVideo({ translator, input, output });
    expect(pictureOf(output)).toMatchObject({ width: 52, height: 38 });
    const [frame = Buffer.alloc(0)] = framesOf(output, { width: 52, height: 38 });
    const line = (y: number) => frame.subarray(y * 156, y * 156 + 153);
    expect(meanDifference(line(37), line(36))).toBeLessThan(6);
    expect(Math.max(...line(37))).toBeGreaterThan(60);
  });

  it.each([
    ['clip.webm', 'out.webm', 'vp9', ['-c:v', 'libvpx', '-c:a', 'libopus']],
    ['clip.mov', 'out.mov', 'prores', ['-c:v', 'prores_ks', '-c:a', 'pcm_s16le']],
    ['clip.avi', 'out.mkv', 'h264', ['-c:v', 'mpeg4', '-c:a', 'libmp3lame']],
    ['clip.m2ts', 'out.mkv', 'h264', ['-c:v', 'mpeg2video', '-c:a', 'ac3', '-r', '25']],
  ])('reads %s and writes %s with %s and the same sound', async (from, to, codec, options) => {
    const dir = temporaryFolder();
    const [input, output] = [join(dir, from), join(dir, to)];
    makeClip(input, { codec: options, seconds: 0.4, rate: '25' });
    const { frames } = await translateVideo({ translator, input, output });
    expect(frames).toBe(timesOf(input).length);
    expect(timesOf(output)).toHaveLength(frames);
    expect(pictureOf(output).codec_name).toBe(codec);
    expect(soundHash(output)).toBe(soundHash(input));
    expect(streamsOf(output)).toHaveLength(2);
  });

  it('takes a video whose size changes midway at the size of its beginning', async () => {
    const dir = temporaryFolder();
    const parts = ['64x48', '80x32'].map((size, i) => {
      const path = join(dir, `${i}.m2ts`);
      makeClip(path, { size, seconds: 0.2, rate: '25', audio: false, codec: ['-c:v', 'mpeg2video'] });
      return readFileSync(path);
    });
    const [input, output] = [join(dir, 'both.m2ts'), join(dir, 'both.mkv')];
    writeFileSync(input, Buffer.concat(parts));
    const { frames } = await translateVideo({ translator, input, output });
    expect(frames).toBeGreaterThanOrEqual(9);
    expect(framesOf(output, { width: 64, height: 48 })).toHaveLength(frames);
  });
});
