/**
 * Translating a folder of JPEGs (decode, run, encode, all of it) against bare `session.run` on a tensor that is
 * ready, with the same model and threads, in one process, turn by turn. What is lost is what this project adds.
 *
 *     node bench/translate.mjs BUNDLE... [--images 24] [--size 256] [--rounds 3] [--threads N]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createTranslator, translateFiles } from '@cyclegan/runtime-node';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import sharp from 'sharp';

const { positionals: bundles, values } = parseArgs({
  allowPositionals: true,
  options: {
    images: { type: 'string', default: '24' },
    size: { type: 'string', default: '256' },
    rounds: { type: 'string', default: '3' },
    threads: { type: 'string', default: String(availableParallelism()) },
  },
});
const [images, size, rounds, threads] = [values.images, values.size, values.rounds, values.threads].map(
  Number,
);
if (bundles.length === 0) {
  console.error(
    'usage: node bench/translate.mjs BUNDLE... [--images N] [--size N] [--rounds N] [--threads N]',
  );
  process.exit(2);
}

/** Images per second while `work` handles all of them. */
async function rate(work) {
  const started = performance.now();
  await work();
  return (1000 * images) / (performance.now() - started);
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** Photo-like JPEGs: soft shapes under a little noise, so that coding them costs what photos cost. */
async function makeImages(folder) {
  for (let i = 0; i < images; i += 1) {
    const noise = { type: 'gaussian', mean: 128, sigma: 60 };
    const small = sharp({ create: { width: 24, height: 24, channels: 3, background: 'black', noise } });
    const path = join(folder, `${String(i).padStart(4, '0')}.jpg`);
    await sharp(await small.png().toBuffer())
      .resize(size, size)
      .jpeg({ quality: 92 })
      .toFile(path);
  }
}

async function measure(bundle, from, out) {
  const translator = await createTranslator(bundle, { device: 'cpu', threads });
  const { manifest, direction, precision } = translator.info;
  const model = manifest.models.find(
    (entry) => entry.direction === direction && entry.precision === precision,
  );
  const session = await InferenceSession.create(join(bundle, model.file), {
    graphOptimizationLevel: 'all',
    intraOpNumThreads: threads,
  });
  const input = Float32Array.from({ length: 3 * size * size }, (_, i) => Math.sin(i));
  const feeds = { [model.input.name]: new Tensor('float32', input, [1, 3, size, size]) };

  const bare = async () => {
    for (let i = 0; i < images; i += 1) await session.run(feeds);
  };
  const whole = async () => {
    const { failed } = await translateFiles({ translator, inputs: [from], out });
    if (failed.length > 0) throw failed[0].error;
  };
  await session.run(feeds);
  await translator.translate(join(from, '0000.jpg'));
  const rates = { bare: [], whole: [] };
  for (let round = 0; round < rounds; round += 1) {
    rates.bare.push(await rate(bare));
    rates.whole.push(await rate(whole));
  }
  await session.release();
  await translator.dispose();
  // By rounds, so that what else the machine does weighs on both sides alike.
  const ratio = median(rates.whole.map((rate, round) => rate / rates.bare[round]));
  return {
    model: `${manifest.name} ${precision}`,
    bare: median(rates.bare),
    whole: median(rates.whole),
    ratio,
  };
}

const folder = mkdtempSync(join(tmpdir(), 'cyclegan-bench-'));
try {
  await makeImages(folder);
  console.log(
    `${images} JPEGs of ${size}x${size}, ${threads} threads, median of ${rounds}; ${cpus()[0]?.model}\n`,
  );
  console.log('| model | bare session.run, images/s | folder to folder, images/s | ratio |');
  console.log('|---|---|---|---|');
  for (const bundle of bundles) {
    const { model, bare, whole, ratio } = await measure(bundle, folder, join(folder, 'out'));
    console.log(`| ${model} | ${bare.toFixed(2)} | ${whole.toFixed(2)} | ${(100 * ratio).toFixed(0)} % |`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
