/** Smoothed statistics over the frames of a video: less flicker where nothing moves, and no smear at a cut. */
import { join } from 'node:path';
import { exportBundle } from '@cyclegan/export';
import { createTranslator, type NodeTranslator, translateVideo } from '@cyclegan/runtime-node';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeRun } from '../../../test/support/make-bundle.ts';
import { temporaryFolder } from './support.ts';
import { ffmpeg, framesOf, meanDifference, videoTools } from './video-files.ts';

const SHAPE = { width: 64, height: 160 };
const SIZE = `${SHAPE.width}x${SHAPE.height}`;
const FRAMES = 24;
const LOSSLESS = ['-frames:v', String(FRAMES), '-c:v', 'ffv1', '-pix_fmt', 'bgr0'];

/** A bundle with the pair for tiles. */
async function pairedTranslator(dir: string): Promise<NodeTranslator> {
  const { run } = await makeRun({ run: join(dir, 'run'), seed: 3 });
  await exportBundle({ source: run, out: join(dir, 'bundle'), direction: 'AtoB', tiles: true });
  const translator = await createTranslator(join(dir, 'bundle'), { device: 'cpu', threads: 1 });
  onTestFinished(() => translator.dispose());
  return translator;
}

/** A still picture on whose upper part a box comes and goes. */
function makeFlickering(path: string): void {
  const scene = `testsrc2=s=${SIZE}:r=25:d=1,trim=end_frame=1,loop=${FRAMES}:1:0,setpts=N/25/TB`;
  const box = `drawbox=c=white:w=56:h=24:x=4:y=2:t=fill:enable='lt(mod(n,4),2)'`;
  ffmpeg('-filter_complex', `${scene},${box}`, ...LOSSLESS, path);
}

/** The mean change from frame to frame of the lower part, too far from the box to see it. */
function flicker(frames: readonly Buffer[]): number {
  const lower = frames.map((frame) => frame.subarray(3 * SHAPE.width * 112));
  const changes = lower.slice(1).map((frame, i) => meanDifference(frame, lower[i] ?? frame));
  return changes.reduce((sum, change) => sum + change, 0) / changes.length;
}

describe.skipIf(!videoTools)('smoothing of videos (needs ffmpeg)', () => {
  it('lowers flicker where nothing moves, and is on by default', async () => {
    const dir = temporaryFolder();
    const [input, output] = [join(dir, 'clip.mkv'), join(dir, 'out.mkv')];
    makeFlickering(input);
    expect(flicker(framesOf(input, SHAPE))).toBe(0);
    const translator = await pairedTranslator(dir);
    const measure = async (smoothing?: number) => {
      const result = await translateVideo({ translator, input, output, smoothing });
      expect(result).toMatchObject({ frames: FRAMES, notes: [] });
      // The first time, what comes may be another scene; what comes again and again is not.
      expect(result.cuts).toBeLessThanOrEqual(1);
      return { strength: result.smoothing, value: flicker(framesOf(output, SHAPE)) };
    };
    const [plain, own, smoothed] = [await measure(0), await measure(1e-9), await measure()];
    expect(plain.value).toBeGreaterThan(1);
    // As good as none: the frames' own statistics, taken apart, are what the plain model takes.
    expect(own.value).toBeCloseTo(plain.value, 1);
    expect(smoothed.strength).toBe(0.9);
    expect(smoothed.value).toBeLessThan(0.4 * plain.value);
  });

  it('begins anew at a cut', async () => {
    const dir = temporaryFolder();
    const [input, output] = [join(dir, 'clip.mkv'), join(dir, 'out.mkv')];
    const still = (source: string) => `${source},trim=end_frame=1,loop=${FRAMES / 2}:1:0,setpts=N/25/TB`;
    const day = still(`testsrc2=s=${SIZE}:r=25:d=1`);
    const night = still(`smptebars=s=${SIZE}:r=25:d=1,eq=brightness=-0.4,format=yuv420p`);
    ffmpeg('-filter_complex', `${day}[a];${night}[b];[a][b]concat`, ...LOSSLESS, input);
    const translator = await pairedTranslator(dir);
    const { cuts } = await translateVideo({ translator, input, output });
    expect(cuts).toBe(1);
    const [before, after] = [framesOf(input, SHAPE), framesOf(output, SHAPE)];
    for (const i of [0, FRAMES / 2, FRAMES - 1]) {
      const data = Uint8Array.from(before[i] ?? []);
      const { pixels } = await translator.translatePixels({ ...SHAPE, channels: 3, data });
      expect(meanDifference(after[i] ?? Buffer.alloc(0), pixels.data)).toBeLessThan(0.1);
    }
  });
});
