/** Videos that are none, damaged, misnamed or stopped: one sentence each, and nothing is left behind. Needs ffmpeg. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createTranslator, type NodeTranslator, translateVideo } from '@cyclegan/runtime-node';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { noise, temporaryFolder, tinyBundle } from './support.ts';
import { ffmpeg, makeClip, timesOf, videoTools } from './video-files.ts';

/** ffmpeg's words for what is none of its kinds of files. */
const UNREADABLE = /moov|Invalid data|whitelist/;

/** Programs that this process has started and that still run, or wait to be asked how they ended. */
function children(): string {
  const path = `/proc/${process.pid}/task/${process.pid}/children`;
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : '';
}

describe.skipIf(!videoTools)('hostile videos (need ffmpeg)', () => {
  let translator: NodeTranslator;
  beforeAll(async () => {
    translator = await createTranslator(tinyBundle, { device: 'cpu', threads: 1 });
  });
  afterAll(() => translator.dispose());

  /** The sentence with which a translation fails, after which there are no programs and no files. */
  async function refusal(input: string, code: string, options: object = {}): Promise<string> {
    const before = children();
    const out = join(temporaryFolder(), 'out');
    const work = translateVideo({ translator, input, output: join(out, 'out.mp4'), ...options });
    const error = await work.then(
      () => {
        throw new Error(`${input} was translated`);
      },
      (failure: Error) => failure,
    );
    expect(error).toMatchObject({ name: 'CycleganError', code });
    expect(error.message).toMatch(/^\[(video|image)\] [^\n]*\.$/);
    expect(children()).toBe(before);
    expect(existsSync(out) ? readdirSync(out) : []).toEqual([]);
    return error.message;
  }

  it('refuses what is no video', async () => {
    const dir = temporaryFolder();
    const file = (name: string, content: string | Buffer) => {
      writeFileSync(join(dir, name), content);
      return join(dir, name);
    };
    mkdirSync(join(dir, 'folder.mp4'));
    execFileSync('mkfifo', [join(dir, 'pipe.mp4')]);
    const sound = join(dir, 'sound.mp4');
    ffmpeg('-f', 'lavfi', '-i', 'sine=d=0.2', sound);
    const picture = file('picture.mp4', await noise(64, 48).png().toBuffer());
    const cases: [string, RegExp][] = [
      [join(dir, 'missing.mp4'), /ENOENT/],
      [join(dir, 'folder.mp4'), /not a file/],
      [join(dir, 'pipe.mp4'), /not a file/],
      [file('empty.mp4', ''), UNREADABLE],
      [file('text.mp4', 'not a video\n'.repeat(500)), UNREADABLE],
      [file('noise.mp4', await noise(64, 64).raw().toBuffer()), UNREADABLE],
      [sound, /no moving pictures/],
      [picture, UNREADABLE],
    ];
    for (const [path, why] of cases) {
      const message = await refusal(path, 'input');
      expect(message).toContain(basename(path));
      expect(message).toMatch(why);
    }
  });

  it('refuses lists that name other files', async () => {
    const dir = temporaryFolder();
    const clip = join(dir, 'clip.mp4');
    makeClip(clip, { seconds: 0.2 });
    const lists = {
      'hls.mp4': `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n${clip}\n#EXT-X-ENDLIST\n`,
      'concat.mkv': `ffconcat version 1.0\nfile clip.mp4\n`,
      'sdp.mp4': 'v=0\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n',
    };
    for (const [name, text] of Object.entries(lists)) {
      writeFileSync(join(dir, name), text);
      expect(await refusal(join(dir, name), 'input')).toMatch(/whitelist/);
    }
  });

  it('refuses pictures that are too large or too small before it reads them', async () => {
    const dir = temporaryFolder();
    const clip = { seconds: 0.2, audio: false, codec: ['-c:v', 'ffv1', '-pix_fmt', 'bgr0'] };
    const [small, huge] = [join(dir, 'small.mkv'), join(dir, 'huge.mkv')];
    makeClip(small, { ...clip, size: '6x6' });
    expect(await refusal(small, 'input')).toMatch(/6x6/);
    makeClip(huge, { ...clip, size: '512x512' });
    const bytes = readFileSync(huge);
    // Matroska's PixelWidth and PixelHeight, which this codec goes by.
    for (const id of [0xb0, 0xba]) bytes.writeUInt16BE(60_000, bytes.indexOf(Buffer.of(id, 0x82, 2, 0)) + 2);
    writeFileSync(huge, bytes);
    expect(await refusal(huge, 'input')).toMatch(/60000x60000/);
  });

  it('refuses files that were cut', async () => {
    const dir = temporaryFolder();
    const clips = { 'a.mp4': [], 'index-first.mp4': ['-movflags', '+faststart'], 'a.mkv': [], 'a.webm': [] };
    for (const [name, codec] of Object.entries(clips)) {
      const path = join(dir, name);
      makeClip(path, { seconds: 2, rate: '25', codec });
      const bytes = readFileSync(path);
      writeFileSync(path, bytes.subarray(0, Math.floor(bytes.length / 2)));
      expect(await refusal(path, 'input')).toMatch(/moov|ended prematurely|s of pictures where it names/);
    }
  });

  it('goes on where single frames are damaged, and says so', async () => {
    const dir = temporaryFolder();
    const [input, output] = [join(dir, 'clip.mp4'), join(dir, 'out.mp4')];
    makeClip(input, {
      seconds: 1,
      rate: '25',
      codec: ['-c:v', 'mpeg4', '-g', '5', '-movflags', '+faststart'],
    });
    const bytes = readFileSync(input);
    const middle = Math.floor(bytes.length / 2);
    bytes.fill(0xff, middle, middle + 400);
    writeFileSync(input, bytes);
    const { frames, notes } = await translateVideo({ translator, input, output });
    expect(frames).toBeGreaterThanOrEqual(23);
    expect(notes.join()).toMatch(/complaints of ffmpeg/);
  });

  it('takes names literally that look like options, patterns, protocols or shell words', async () => {
    const dir = temporaryFolder();
    const was = process.cwd();
    process.chdir(dir);
    onTestFinished(() => process.chdir(was));
    const names = [
      '-y.mp4',
      'a%03d.mp4',
      'http:x.mp4',
      'concat:a|b.mp4',
      'q\'u"o $(touch x) `x`;.mp4',
      'ü ñ.mp4',
    ];
    makeClip(join(dir, 'clip.mp4'), { seconds: 0.1 });
    for (const name of names) {
      writeFileSync(name, readFileSync('clip.mp4'));
      await translateVideo({ translator, input: name, output: join('out', name) });
      expect(timesOf(join(dir, 'out', name))).toEqual(timesOf(join(dir, name)));
    }
    expect(readdirSync('out').sort()).toEqual(names.toSorted());
    expect(readdirSync('.').sort()).toEqual([...names, 'clip.mp4', 'out'].sort());
  });

  it('refuses options and places that cannot be meant', async () => {
    const dir = temporaryFolder();
    const clip = join(dir, 'clip.mp4');
    makeClip(clip, { seconds: 0.2 });
    expect(await refusal(clip, 'usage', { quality: 0 })).toMatch(/quality/);
    expect(await refusal(clip, 'usage', { smoothing: 1 })).toMatch(/smoothing/);
    expect(await refusal(clip, 'usage', { output: join(dir, 'clip.avi') })).toMatch(/\.mp4, .*\.webm/);
    // WebM has no place for AAC.
    expect(await refusal(clip, 'output', { output: join(dir, 'clip.webm') })).toMatch(/Opus/);
    expect(readdirSync(dir)).toEqual(['clip.mp4']);
  });

  it('says how to add ffmpeg where there is none', async () => {
    const clip = join(temporaryFolder(), 'clip.mp4');
    makeClip(clip, { seconds: 0.1 });
    vi.stubEnv('FFMPEG_PATH', '/nowhere/ffmpeg');
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(await refusal(clip, 'input')).toMatch(/install ffmpeg/);
  });

  it('stops on request at any moment: no programs, no draft', async () => {
    const clip = join(temporaryFolder(), 'clip.mp4');
    makeClip(clip, { seconds: 4, size: '320x240' });
    for (const frames of [0, 1, 20]) {
      const controller = new AbortController();
      if (frames === 0) setTimeout(() => controller.abort(), 30);
      const onProgress = ({ done }: { done: number }) => {
        if (done === frames) controller.abort();
      };
      const { signal } = controller;
      expect(await refusal(clip, 'aborted', { signal, onProgress })).toMatch(/stopped on request/);
    }
    expect(await refusal(clip, 'aborted', { signal: AbortSignal.abort() })).toMatch(/stopped/);
  });

  it('stops the programs when the translator fails', async () => {
    const clip = join(temporaryFolder(), 'clip.mp4');
    makeClip(clip, { seconds: 1 });
    const other = await createTranslator(tinyBundle, { device: 'cpu', threads: 1, direction: 'BtoA' });
    const before = children();
    const out = temporaryFolder();
    const onProgress = ({ done }: { done: number }) => void (done === 3 && other.dispose());
    const work = translateVideo({ translator: other, input: clip, output: join(out, 'o.mp4'), onProgress });
    await expect(work).rejects.toMatchObject({ name: 'CycleganError' });
    expect(children()).toBe(before);
    expect(readdirSync(out)).toEqual([]);
  });
});
