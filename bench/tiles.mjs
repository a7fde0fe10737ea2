/**
 * Large images in tiles against the same model on the full frame: how near they come, what they cost, and whether seams
 * show. In one process, on the CPU.
 *
 *     node bench/tiles.mjs BUNDLE... [--side 2048] [--tile 512] [--threads 2] [--image FILE]...
 *
 * A bundle needs the pair for tiles (`cyclegan export --tiles`). "apart" normalises each tile by itself; "sample" takes
 * a sample's statistics for all tiles; "refined" is what the translator does, with the times that it ran all tiles.
 * "cost" is CPU time over the full frame's. "seams" is how much tone changes from one side of the tiles' overlaps to the
 * other, over how much it does to both sides of them: RMS over all seams, along each tile's side.
 */
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { planTiles, translatePixels } from '@cyclegan/runtime-core';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import sharp from 'sharp';

const { positionals: bundles, values } = parseArgs({
  allowPositionals: true,
  options: {
    side: { type: 'string', default: '2048' },
    tile: { type: 'string', default: '512' },
    threads: { type: 'string', default: '2' },
    image: { type: 'string', multiple: true, default: [] },
  },
});
const [side, tile, threads] = [values.side, values.tile, values.threads].map(Number);
if (bundles.length === 0) {
  console.error(
    'usage: node bench/tiles.mjs BUNDLE... [--side N] [--tile N] [--threads N] [--image FILE]...',
  );
  process.exit(2);
}

function scatter() {
  let state = 5;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function draw(colourAt) {
  const data = new Uint8Array(3 * side * side);
  for (let i = 0; i < side * side; i += 1) {
    const colour = colourAt(i % side, Math.floor(i / side));
    for (let c = 0; c < 3; c += 1) data[3 * i + c] = Math.max(0, Math.min(255, colour[c]));
  }
  return { width: side, height: side, channels: 3, data };
}

/** A bright sky over a dark ground of fine texture, with discs across: no part is like the whole. */
function landscape() {
  const random = scatter();
  const discs = Array.from({ length: 24 }, () => ({
    x: random() * side,
    y: side * (0.35 + 0.65 * random()),
    radius: side * (0.02 + 0.12 * random()),
    colour: [255 * random(), 255 * random(), 255 * random()],
  }));
  return draw((x, y) => {
    const height = y / side;
    const ground = [
      90 + 40 * Math.sin(x / 61),
      110 + 60 * Math.sin(x / 11 + y / 29),
      60 + 30 * Math.sin((x - y) / 17),
    ];
    let colour = height < 0.4 ? [120 + 150 * height, 160 + 140 * height, 235] : ground;
    for (const disc of discs) {
      if (Math.hypot(x - disc.x, y - disc.y) < disc.radius) colour = disc.colour;
    }
    const noise = (height < 0.4 ? 6 : 26) * (random() + random() - 1);
    return colour.map((value) => value + noise);
  });
}

/** Flat cards of 256 pixels, each of its own colours: the worst for a sample. */
function cards() {
  const random = scatter();
  const count = Math.ceil(side / 256);
  const all = Array.from({ length: count * count }, () => Array.from({ length: 7 }, random));
  return draw((x, y) => {
    const [r, g, b, size, ...ink] = all[Math.floor(y / 256) * count + Math.floor(x / 256)];
    const inside = Math.hypot((x % 256) - 128, (y % 256) - 128) < 40 + 80 * size;
    return (inside ? ink : [0.8 + 0.2 * r, 0.8 + 0.2 * g, 0.8 + 0.2 * b]).map((value) => 255 * value);
  });
}

/** Clouds of every size. */
function clouds() {
  const random = scatter();
  const waves = Array.from({ length: 40 }, (_, i) => {
    const step = (2 * Math.PI) / (side / 1.18 ** i);
    const angle = 2 * Math.PI * random();
    return { x: step * Math.cos(angle), y: step * Math.sin(angle), phase: 6 * random(), channel: i % 3 };
  });
  return draw((x, y) => {
    const colour = [128, 128, 128];
    for (const wave of waves) colour[wave.channel] += 18 * Math.sin(wave.x * x + wave.y * y + wave.phase);
    return colour;
  });
}

async function pictures() {
  const made = [
    ['landscape', landscape()],
    ['cards', cards()],
    ['clouds', clouds()],
  ];
  for (const file of values.image) {
    const image = sharp(file)
      .rotate()
      .resize(side, side, { fit: 'cover' })
      .toColourspace('srgb')
      .removeAlpha();
    const data = new Uint8Array(await image.raw().toBuffer());
    made.push([basename(file), { width: side, height: side, channels: 3, data }]);
  }
  return made;
}

/** Sessions of the first direction's fp32 model and its pair; runs of tiles are counted. */
async function open(bundle) {
  const { models, variants } = JSON.parse(readFileSync(join(bundle, 'manifest.json'), 'utf8'));
  const model = models.find(({ precision }) => precision === 'fp32');
  const part = (name) =>
    variants.find(({ part, precision, direction }) => {
      return part === name && precision === 'fp32' && direction === model.direction;
    });
  const pair = { statistics: part('statistics'), tile: part('tile') };
  if (!pair.statistics || !pair.tile) throw new Error(`${bundle}: no pair for tiles; export it with --tiles`);
  const session = ({ file }) =>
    InferenceSession.create(readFileSync(join(bundle, file)), {
      executionProviders: ['cpu'],
      intraOpNumThreads: threads,
      logSeverityLevel: 3,
    });
  const [whole, statistics, tiles] = await Promise.all([model, pair.statistics, pair.tile].map(session));
  const image = ({ data, width, height, channels }) =>
    new Tensor('float32', data, [1, channels, height, width]);
  const rows = (data) => new Tensor('float32', data, [1, 2, data.length / 2]);
  const planes = ({ dims, data }) => ({ width: dims[3], height: dims[2], channels: dims[1], data });
  const neutral = new Float32Array(2 * pair.tile.statistics).fill(1, pair.tile.statistics);
  const runs = { tiles: 0 };
  const run = async ([input]) => [planes((await whole.run({ image: image(input) })).translation)];
  const tileSession = {
    async statistics(input, correction = neutral) {
      const results = await statistics.run({ image: image(input), correction: rows(correction) });
      return results.statistics.data;
    },
    async run(input, shared, { left, top, width, height }) {
      runs.tiles += 1;
      const core = new Tensor('float32', Float32Array.of(top, left, top + height, left + width), [1, 1, 4]);
      const results = await tiles.run({ image: image(input), statistics: rows(shared), core });
      return { planes: planes(results.translation), statistics: results.own_statistics.data };
    },
  };
  return { model, runs, run, tiles: tileSession };
}

async function timed(work) {
  const before = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(before);
  return { result, seconds: (user + system) / 1e6 };
}

function psnr(one, other) {
  const sum = one.reduce((all, value, i) => all + (value - other[i]) ** 2, 0);
  return 10 * Math.log10((255 ** 2 * one.length) / sum);
}

const BAND = 8;

function seamRatio(data, { x, y }) {
  const tone = ({ across, along, flip, channel }) => {
    let sum = 0;
    for (let i = along.from; i < along.to; i += 1) {
      for (let j = across; j < across + BAND; j += 1) {
        sum += data[3 * (flip ? j * side + i : i * side + j) + channel];
      }
    }
    return sum / BAND / (along.to - along.from);
  };
  const squares = { seam: [], beside: [] };
  for (const [axis, other, flip] of [
    [x, y, false],
    [y, x, true],
  ]) {
    for (const [i, start] of axis.starts.entries()) {
      if (i === 0) continue;
      const width = axis.starts[i - 1] + axis.size - start;
      const step = width + BAND;
      for (const [where, from] of [
        ['seam', start],
        ['beside', start - step],
        ['beside', start + step],
      ]) {
        if (from < BAND || from + step > side) continue;
        for (const top of other.starts) {
          const along = { from: top, to: Math.min(top + other.size, side) };
          for (const channel of [0, 1, 2]) {
            const at = (across) => tone({ across, along, flip, channel });
            squares[where].push((at(from + width) - at(from - BAND)) ** 2);
          }
        }
      }
    }
  }
  const rms = (all) => Math.sqrt(all.reduce((sum, value) => sum + value, 0) / all.length);
  return rms(squares.seam) / rms(squares.beside);
}

console.log(`${cpus()[0]?.model}, ${threads} threads, ${side}x${side} in tiles of ${tile}`);
for (const bundle of bundles) {
  const { model, runs, run, tiles } = await open(bundle);
  for (const [name, pixels] of await pictures()) {
    const plan = planTiles(pixels, model, { tile });
    const count = plan.x.starts.length * plan.y.starts.length;
    const translate = (more) =>
      timed(async () => (await translatePixels({ pixels, model, tile, ...more })).pixels.data);
    const whole = await translate({ tile: 'none', session: { run, tiles: null } });
    // All that the pair is asked for twice is answered as before: the sample's own statistics stay.
    const once = {
      ...tiles,
      run: async (input, shared, core) => ({ ...(await tiles.run(input, shared, core)), statistics: shared }),
    };
    for (const [method, session] of [
      ['apart', { run, tiles: null }],
      ['sample', { run, tiles: once }],
      ['refined', { run, tiles }],
    ]) {
      runs.tiles = 0;
      const { result, seconds } = await translate({ session });
      const cells = [
        `${psnr(result, whole.result).toFixed(1).padStart(5)} dB`,
        `cost ${(seconds / whole.seconds).toFixed(2)}`,
        `seams ${seamRatio(result, plan).toFixed(2)} (full frame ${seamRatio(whole.result, plan).toFixed(2)})`,
        runs.tiles ? `${runs.tiles / count} passes` : '',
      ];
      console.log([basename(bundle), name.padEnd(10), method.padEnd(8), ...cells].join('  '));
    }
  }
}
