/**
 * Flicker of a translated video before and after smoothing: a still scene with an object passing and a camera's noise,
 * frame by frame through `translateVideo`, losslessly. Measured where nothing but noise changes in the input.
 *
 *     node bench/flicker.mjs BUNDLE... [--size 256] [--frames 40] [--clip VIDEO] [--strengths 0,0.5,0.8,0.9,0.95]
 *
 * A bundle needs the pair for tiles (`cyclegan export --tiles`). "tone" is how much the mean of the still part changes
 * from one frame to the next, in levels of 255; "blocks" is the same of its blocks of 16², where the model's answer to
 * noise adds to it. "away" is the mean distance from the translation without smoothing, which is the price.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createTranslator, translateVideo } from '@cyclegan/runtime-node';

const { positionals: bundles, values } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: 'string', default: '256' },
    frames: { type: 'string', default: '40' },
    clip: { type: 'string' },
    strengths: { type: 'string', default: '0,0.5,0.8,0.9,0.95' },
  },
});
const [size, frames] = [values.size, values.frames].map(Number);
const strengths = values.strengths.split(',').map(Number);
if (bundles.length === 0) {
  console.error(
    'usage: node bench/flicker.mjs BUNDLE... [--size N] [--frames N] [--clip VIDEO] [--strengths LIST]',
  );
  process.exit(2);
}

const BLOCK = 16;
/** Of a block's mean over time, in levels, up to which it counts as still. */
const STILL = 1.5;

function ffmpeg(...args) {
  return execFileSync('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...args], { maxBuffer: 2 ** 31 - 1 });
}

/**
 * Soft shapes of many colours, held; a bright disc crosses their upper third, far from the lower half, where flicker is
 * measured; and noise over all.
 */
function makeClip(path) {
  const rate = 25;
  const seconds = frames / rate;
  const [width, height, side] = [size, Math.round(1.5 * size), Math.round(size / 4)];
  const random = (seed) => `clip(128+110*(2*random(${seed})-1),0,255)`;
  const scene = `nullsrc=s=20x30:r=${rate}:d=1,format=gbrp,geq=r='${random(0)}':g='${random(1)}':b='${random(2)}',trim=end_frame=1,scale=${width}:${height}:flags=bicubic,loop=${frames}:1:0,setpts=N/${rate}/TB`;
  const disc = `color=c=white:s=${side}x${side}:r=${rate}:d=${seconds},format=rgba,geq=r=255:g=240:b=200:a='255*lte(hypot(X-W/2,Y-H/2),W/2)'`;
  const graph = `${scene}[s];${disc}[d];[s][d]overlay=x='-w+(W+w)*t/${seconds}':y=H/16:shortest=1:format=gbrp,noise=alls=3:allf=t:all_seed=1,format=bgr0`;
  ffmpeg('-filter_complex', graph, '-frames:v', String(frames), '-c:v', 'ffv1', path);
}

function readFrames(path, { width, height }) {
  const bytes = ffmpeg('-i', path, '-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1');
  const length = width * height * 3;
  return Array.from({ length: bytes.length / length }, (_, i) =>
    bytes.subarray(i * length, (i + 1) * length),
  );
}

/** Means of the blocks of a frame, all colours together. */
function tones(frame, { width, height }) {
  const [columns, rows] = [Math.floor(width / BLOCK), Math.floor(height / BLOCK)];
  const sums = new Float64Array(columns * rows);
  for (let y = 0; y < rows * BLOCK; y += 1) {
    for (let x = 0; x < columns * BLOCK; x += 1) {
      const at = 3 * (y * width + x);
      const block = Math.floor(y / BLOCK) * columns + Math.floor(x / BLOCK);
      sums[block] += frame[at] + frame[at + 1] + frame[at + 2];
    }
  }
  return sums.map((sum) => sum / (3 * BLOCK * BLOCK));
}

const mean = (numbers) => numbers.reduce((sum, value) => sum + value, 0) / numbers.length;

/** Blocks of the lower half whose tone stays in the input all along. */
function stillBlocks(input) {
  return Array.from(input[0].keys()).filter((block, _, { length }) => {
    if (block < length / 2) return false;
    const values = input.map((frame) => frame[block]);
    return Math.max(...values) - Math.min(...values) <= STILL;
  });
}

/** Mean change from frame to frame, of the still part and of its blocks. */
function flicker(all, still, shape) {
  const series = all.map((frame) => {
    const blocks = tones(frame, shape);
    return still.map((block) => blocks[block]);
  });
  const changes = series.slice(1).map((blocks, i) => blocks.map((tone, at) => tone - series[i][at]));
  return {
    tone: mean(changes.map((change) => Math.abs(mean(change)))),
    blocks: mean(changes.map((change) => mean(change.map(Math.abs)))),
  };
}

function distance(one, other) {
  return mean(
    one.map((frame, i) => {
      let sum = 0;
      for (let at = 0; at < frame.length; at += 1) sum += Math.abs(frame[at] - other[i][at]);
      return sum / frame.length;
    }),
  );
}

const folder = mkdtempSync(join(tmpdir(), 'cyclegan-flicker-'));
try {
  const clip = join(folder, 'clip.mkv');
  if (values.clip) ffmpeg('-i', `file:${values.clip}`, '-an', '-pix_fmt', 'bgr0', '-c:v', 'ffv1', clip);
  else makeClip(clip);
  console.log('| model | smoothing | tone | blocks | away | cuts | frames/s |');
  console.log('|---|---|---|---|---|---|---|');
  for (const bundle of bundles) {
    const translator = await createTranslator(bundle);
    const { manifest, direction, precision, device } = translator.info;
    let plain;
    let still;
    for (const smoothing of strengths) {
      const output = join(folder, 'out.mkv');
      const started = performance.now();
      const video = await translateVideo({ translator, input: clip, output, smoothing });
      const rate = (1000 * video.frames) / (performance.now() - started);
      if (smoothing > 0 && video.smoothing === 0) throw new Error(video.notes.join(' '));
      if (!still) {
        const input = readFrames(clip, video);
        still = stillBlocks(input.map((frame) => tones(frame, video)));
        const { tone, blocks } = flicker(input, still, video);
        console.log(`| the clip itself | | ${tone.toFixed(2)} | ${blocks.toFixed(2)} | | | |`);
      }
      const all = readFrames(output, video);
      plain ??= all;
      const { tone, blocks } = flicker(all, still, video);
      const name = `${manifest.name} ${direction} ${precision}, ${device}`;
      const figures = [tone, blocks, distance(all, plain)].map((value) => value.toFixed(2));
      console.log(`| ${name} | ${smoothing} | ${figures.join(' | ')} | ${video.cuts} | ${rate.toFixed(1)} |`);
    }
    await translator.dispose();
  }
  console.log(`\n${frames} frames of ${size}x${1.5 * size}; ${cpus()[0]?.model}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
