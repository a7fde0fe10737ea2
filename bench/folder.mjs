/**
 * Translating a folder of JPEGs, decoding and encoding included, against bare `session.run` on a tensor that is ready,
 * and against a Python script that does the same with onnxruntime and Pillow; same model, threads and quality, turn by
 * turn. What is lost to `session.run` is what this project adds.
 *
 *     node bench/folder.mjs BUNDLE... [--python python3] [--images 24] [--size 256] [--rounds 5] [--threads N]
 *
 * Python is left out, aloud, where it has no onnxruntime, Pillow and NumPy (`pip install onnxruntime pillow numpy`).
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createTranslator, translateFiles, workersFor } from '@cyclegan/runtime-node';
import { env, InferenceSession, Tensor } from 'onnxruntime-node';
import sharp from 'sharp';

const { positionals: bundles, values } = parseArgs({
  allowPositionals: true,
  options: {
    python: { type: 'string', default: 'python3' },
    images: { type: 'string', default: '24' },
    size: { type: 'string', default: '256' },
    rounds: { type: 'string', default: '5' },
    threads: { type: 'string', default: String(availableParallelism()) },
  },
});
const [images, size, rounds, threads] = [values.images, values.size, values.rounds, values.threads].map(
  Number,
);
const QUALITY = 92;
if (bundles.length === 0) {
  console.error(
    'usage: node bench/folder.mjs BUNDLE... [--python P] [--images N] [--size N] [--rounds N] [--threads N]',
  );
  process.exit(2);
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** Images per second while `work` handles all of them. */
async function rate(work) {
  const started = performance.now();
  await work();
  return (1000 * images) / (performance.now() - started);
}

/** Photo-like JPEGs: soft shapes under a little noise, so that coding them costs what photos cost. */
async function makeImages(folder) {
  for (let i = 0; i < images; i += 1) {
    const noise = { type: 'gaussian', mean: 128, sigma: 60 };
    const small = sharp({ create: { width: 24, height: 24, channels: 3, background: 'black', noise } });
    const path = join(folder, `${String(i).padStart(4, '0')}.jpg`);
    await sharp(await small.png().toBuffer())
      .resize(size, size)
      .jpeg({ quality: QUALITY })
      .toFile(path);
  }
}

/** The Python script, started once: a turn for each word that it is told. */
async function startPython(model, from, out) {
  const modules = spawnSync(values.python, ['-c', 'import onnxruntime, PIL, numpy']);
  if (modules.status !== 0) return undefined;
  const script = fileURLToPath(new URL('peers/translate-folder.py', import.meta.url));
  const child = spawn(values.python, [script, model, from, out, String(threads), String(QUALITY)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error('the Python script ended early');
    return value;
  };
  const versions = await answer();
  return {
    versions,
    async turn(kind) {
      child.stdin.write(`${kind}\n`);
      return images / Number(await answer());
    },
    end: () => child.stdin.end(),
  };
}

async function measure(bundle, from, out) {
  const translator = await createTranslator(bundle, {
    ...{ device: 'cpu', precision: 'fp32', threads },
    workers: workersFor(images, threads),
  });
  const { manifest, direction, precision, workers } = translator.info;
  const model = manifest.models.find((each) => each.direction === direction && each.precision === precision);
  const path = join(bundle, model.file);
  const session = await InferenceSession.create(path, {
    graphOptimizationLevel: 'all',
    intraOpNumThreads: threads,
  });
  const input = Float32Array.from({ length: 3 * size * size }, (_, i) => Math.sin(i));
  const feeds = { [model.input.name]: new Tensor('float32', input, [1, 3, size, size]) };
  const python = await startPython(path, from, join(out, 'python'));

  const bare = async () => {
    for (let i = 0; i < images; i += 1) await session.run(feeds);
  };
  const folder = async () => {
    const { failures } = await translateFiles({ translator, inputs: [from], out, quality: QUALITY });
    if (failures[0]) throw failures[0].error;
  };
  await session.run(feeds);
  await folder();
  const rates = { bare: [], folder: [], plain: [], pool: [] };
  for (let round = 0; round < rounds; round += 1) {
    rates.bare.push(await rate(bare));
    rates.folder.push(await rate(folder));
    if (python) for (const kind of ['plain', 'pool']) rates[kind].push(await python.turn(kind));
  }
  python?.end();
  await session.release();
  await translator.dispose();
  // By rounds, so that what else the machine does weighs on both sides alike.
  const against = (side) => median(rates.folder.map((each, round) => each / rates[side][round]));
  return {
    name: `${manifest.name} ${precision}, ${workers} workers`,
    rates,
    against,
    python: python?.versions,
  };
}

const root = mkdtempSync(join(tmpdir(), 'cyclegan-bench-'));
try {
  await makeImages(root);
  const { node } = env.versions;
  console.log(
    `${images} JPEGs of ${size}x${size}, ${threads} threads, medians of ${rounds} rounds; onnxruntime ${node}; ${cpus()[0]?.model}`,
  );
  const rows = [];
  let versions;
  for (const bundle of bundles) {
    const { name, rates, against, python } = await measure(bundle, root, join(root, 'out'));
    versions ??= python;
    const rate = (side) => (rates[side].length > 0 ? median(rates[side]).toFixed(2) : '');
    const ratio = (side) => (rates[side].length > 0 ? `${against(side).toFixed(2)}×` : '');
    const percent = `${(100 * against('bare')).toFixed(0)} %`;
    rows.push([
      name,
      rate('bare'),
      rate('folder'),
      percent,
      rate('plain'),
      rate('pool'),
      ratio('plain'),
      ratio('pool'),
    ]);
  }
  console.log(
    versions ? `Python: ${versions}\n` : `Python left out: ${values.python} has not all it needs\n`,
  );
  console.log(
    '| model | bare session.run, images/s | folder to folder, images/s | of bare | Python, images/s | Python with a pool | against Python | against its pool |',
  );
  console.log('|---|---|---|---|---|---|---|---|');
  for (const row of rows) console.log(`| ${row.join(' | ')} |`);
} finally {
  rmSync(root, { recursive: true, force: true });
}
