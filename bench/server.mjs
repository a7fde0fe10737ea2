/**
 * `cyclegan serve` at twice what it can do: which answers it gives, how many images a second it still translates beside
 * the batch figure of the same images, how long accepted requests take, and what it does to its memory. Ends with 1 when
 * one of them is not as docs/serve.md says.
 *
 *     node bench/server.mjs BUNDLE [--minutes 5] [--size 256] [--images 64] [--queue 64] [--threads N]
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createTranslator, translateFiles, workersFor } from '@cyclegan/runtime-node';
import autocannon from 'autocannon';
import sharp from 'sharp';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: 'string', default: '5' },
    size: { type: 'string', default: '256' },
    images: { type: 'string', default: '64' },
    queue: { type: 'string', default: '64' },
    threads: { type: 'string', default: String(availableParallelism()) },
  },
});
const [bundle] = positionals;
if (bundle === undefined) {
  console.error(
    'usage: node bench/server.mjs BUNDLE [--minutes N] [--size N] [--images N] [--queue N] [--threads N]',
  );
  process.exit(2);
}
const [minutes, size, images, queue, threads] = [
  values.minutes,
  values.size,
  values.images,
  values.queue,
  values.threads,
].map(Number);
const QUALITY = 92;
const CAPACITY_SECONDS = Math.min(20, 30 * minutes);
/** Connections that find the capacity: more than images are worked on at a time, fewer than may wait. */
const CLOSED_LOOP = 16;
/** What the median of the last fifth may lie above that of the second fifth, when caches are filled. */
const MOST_GROWTH = 1.1;

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const percentile = (sorted, part) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];

/** Photo-like JPEGs: soft shapes under a little noise, so that coding them costs what photos cost. */
async function makeImages(folder) {
  return Promise.all(
    Array.from({ length: images }, async (_, i) => {
      const noise = { type: 'gaussian', mean: 128, sigma: 60 };
      const small = sharp({ create: { width: 24, height: 24, channels: 3, background: 'black', noise } });
      const path = join(folder, `${String(i).padStart(4, '0')}.jpg`);
      await sharp(await small.png().toBuffer())
        .resize(size, size)
        .jpeg({ quality: QUALITY })
        .toFile(path);
      return path;
    }),
  );
}

/** Images a second, folder to folder. */
async function batchRate(from, out) {
  const translator = await createTranslator(bundle, { threads, workers: workersFor(images, threads) });
  try {
    const run = () => translateFiles({ translator, inputs: [from], out, quality: QUALITY });
    await run();
    const started = performance.now();
    await run();
    return (1000 * images) / (performance.now() - started);
  } finally {
    await translator.dispose();
  }
}

async function startServer() {
  const program = fileURLToPath(new URL('../packages/cli/bin/cyclegan.js', import.meta.url));
  const options = { port: 0, queue, threads, 'log-level': 'warn' };
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn(process.execPath, [program, 'serve', bundle, '--json', ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const { value } = await lines.next();
  if (value === undefined) throw new Error(`the server ended with ${await ended}`);
  const { url } = JSON.parse(value);
  return {
    url,
    async figure(name) {
      const text = await (await fetch(`${url}/metrics`)).text();
      return Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1]);
    },
    ended,
    stop() {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

/** The most time that so many ends, one after the other, took. */
function longest(ends, count) {
  return Math.max(...ends.slice(count).map((end, i) => end - ends[i]));
}

/** Posts the images in turn for so many seconds, and tells each answer. */
async function load(url, { bodies, connections, seconds, connectionRate, onAnswer }) {
  const run = autocannon({
    url: `${url}/v1/translate?quality=${QUALITY}`,
    connections,
    duration: seconds,
    timeout: 120,
    ...(connectionRate && { connectionRate, ignoreCoordinatedOmission: true }),
    requests: bodies.map((body) => ({
      method: 'POST',
      headers: { 'Content-Type': 'image/jpeg' },
      body,
    })),
  });
  run.on('response', (_client, status, _bytes, ms) => onAnswer(status, ms));
  return run;
}

const root = mkdtempSync(join(tmpdir(), 'cyclegan-bench-'));
const failures = [];
const expect = (holds, sentence) => {
  if (!holds) failures.push(sentence);
};
try {
  const bodies = (await makeImages(root)).map((path) => readFileSync(path));
  console.log(
    `${images} JPEGs of ${size}x${size}, ${threads} threads, queue ${queue}; ${cpus()[0]?.model}; load from the same machine`,
  );
  const out = join(root, 'out');
  const before = await batchRate(root, out);
  const server = await startServer();

  let done = 0;
  let running = 0;
  const look = setTimeout(
    async () => {
      running = await server.figure('cyclegan_images_running');
    },
    (1000 * CAPACITY_SECONDS) / 2,
  );
  const began = performance.now();
  const count = (status) => {
    if (status === 200) done += 1;
  };
  await load(server.url, { bodies, connections: CLOSED_LOOP, seconds: CAPACITY_SECONDS, onAnswer: count });
  const capacity = (1000 * done) / (performance.now() - began);
  clearTimeout(look);

  const seconds = Math.round(60 * minutes);
  const statuses = new Map();
  const accepted = [];
  const ends = [];
  const memory = [];
  const sample = async () => memory.push((await server.figure('process_resident_memory_bytes')) / 2 ** 20);
  await sample();
  const sampler = setInterval(sample, Math.max(1000, (1000 * seconds) / 300));
  const started = performance.now();
  // Each connection asks once a second. Those whose image waits or runs ask nothing, and come on top; those whose image
  // is done ask as often as images are done.
  const result = await load(server.url, {
    bodies,
    connections: Math.ceil(1.2 * capacity) + queue + running,
    connectionRate: 1,
    seconds,
    onAnswer(status, ms) {
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (status !== 200) return;
      accepted.push(ms);
      ends.push(performance.now());
    },
  });
  const lasted = (performance.now() - started) / 1000;
  clearInterval(sampler);
  await sample();
  const code = await server.stop();
  const batch = (before + (await batchRate(root, out))) / 2;

  const offered = [...statuses.values()].reduce((sum, each) => sum + each, 0) / lasted;
  const served = accepted.length / lasted;
  const latency = accepted.toSorted((a, b) => a - b);
  const slowest = latency.at(-1) ?? 0;
  const bound = longest(ends, queue + running + 1);
  const fifth = Math.ceil(memory.length / 5);
  const growth = median(memory.slice(-fifth)) / median(memory.slice(fifth, 2 * fifth));
  const histogram = [...statuses].sort(([a], [b]) => a - b).map(([status, times]) => `${status}: ${times}`);
  const ms = (value) => `${(value / 1000).toFixed(2)} s`;

  console.log(`
| | |
|---|---|
| folder to folder, before and after, images/s | ${batch.toFixed(2)} |
| closed loop, ${CLOSED_LOOP} connections, images/s | ${capacity.toFixed(2)} |
| asked for, requests/s, ${Math.round(lasted)} s long | ${offered.toFixed(2)} (${(offered / capacity).toFixed(2)}×) |
| translated meanwhile, images/s | ${served.toFixed(2)} (${((100 * served) / batch).toFixed(0)} % of the batch figure) |
| answers | ${histogram.join(', ')}; without an answer ${result.errors} |
| time of accepted requests: median, 99 %, slowest | ${ms(percentile(latency, 0.5))}, ${ms(percentile(latency, 0.99))}, ${ms(slowest)} |
| the most that a full queue took to be worked off | ${ms(bound)} |
| memory: at first, median of the second fifth, of the last, most | ${[memory[0], median(memory.slice(fifth, 2 * fifth)), median(memory.slice(-fifth)), Math.max(...memory)].map((mb) => `${mb.toFixed(0)} MB`).join(', ')} |
| the server's end | ${code} |`);

  expect(
    [...statuses.keys()].every((status) => [200, 429, 503].includes(status)),
    'every answer is 200, 429 or 503',
  );
  expect(result.errors === 0, 'every request has an answer');
  expect(served >= 0.9 * batch, 'throughput is within 10 % of the batch figure');
  expect(slowest <= bound, 'no accepted request takes longer than a full queue');
  expect(growth <= MOST_GROWTH, 'memory does not grow');
  expect(code === 0, 'the server ends with 0');
} finally {
  rmSync(root, { recursive: true, force: true });
}
for (const sentence of failures) console.error(`not held: ${sentence}`);
process.exitCode = failures.length > 0 ? 1 : 0;
