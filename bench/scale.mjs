/**
 * What one image costs a fleet: processor time with a model, time and memory of the queue without one; and from that
 * what a batch of any size takes. A real redis-server and the worker that `cyclegan worker` runs, in this process.
 *
 *     node bench/scale.mjs BUNDLE... [--images 200] [--size 256] [--references 10000,100000] [--price 0.04] [--cores 16]
 *
 * `--price` is what you pay for a core for an hour; `--cores` those of one machine in the tables.
 */
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openFleet, startFleetWorker } from '@cyclegan/runtime-node/fleet';
import sharp from 'sharp';

const { Redis } = createRequire(new URL('../packages/runtime-node/package.json', import.meta.url))('ioredis');
const { positionals: bundles, values } = parseArgs({
  allowPositionals: true,
  options: {
    images: { type: 'string', default: '200' },
    size: { type: 'string', default: '256' },
    references: { type: 'string', default: '10000,100000' },
    price: { type: 'string', default: '0.04' },
    cores: { type: 'string', default: '16' },
  },
});
const [images, size, price, cores] = [values.images, values.size, values.price, values.cores].map(Number);
const references = values.references.split(',').map(Number);
if (bundles.length === 0) {
  console.error(
    'usage: node bench/scale.mjs BUNDLE... [--images N] [--size N] [--references N,…] [--price P] [--cores N]',
  );
  process.exit(2);
}

const root = mkdtempSync(join(tmpdir(), 'cyclegan-scale-'));
const port = 20000 + (process.pid % 20000);
const url = `redis://127.0.0.1:${port}`;
const server = spawn(
  'redis-server',
  ['--port', String(port), '--bind', '127.0.0.1', '--dir', root, '--appendonly', 'yes', '--save', ''],
  { stdio: 'ignore' },
);
const redis = new Redis(url);
// Until it listens.
redis.on('error', () => {});

/** Photo-like JPEGs, a few different ones under many names. */
async function makeImages(folder, count, side = size) {
  mkdirSync(folder);
  for (let i = 0; i < count; i += 1) {
    const path = join(folder, `photo-${String(i).padStart(9, '0')}.jpg`);
    if (i < 10) {
      const noise = { type: 'gaussian', mean: 128, sigma: 60 };
      const small = sharp({ create: { width: 24, height: 24, channels: 3, background: 'black', noise } });
      await sharp(await small.png().toBuffer())
        .resize(side, side)
        .jpeg({ quality: 92 })
        .toFile(path);
    } else copyFileSync(join(folder, `photo-${String(i % 10).padStart(9, '0')}.jpg`), path);
  }
}

const memory = async () => Number(/used_memory:(\d+)/.exec(await redis.info('memory'))[1]);
async function redisSeconds() {
  const info = await redis.info('cpu');
  return Number(/used_cpu_sys:([\d.]+)/.exec(info)[1]) + Number(/used_cpu_user:([\d.]+)/.exec(info)[1]);
}

/** Runs a batch with one worker here. @returns seconds by the clock, of this process's cores, and of Redis's, an image */
async function run(fleet, { bundle, input, out, count }) {
  const { batch } = await fleet.submit({ bundle, inputs: [input], out });
  const name = (await fleet.batch(batch)).model.bundle;
  const worker = await startFleetWorker({ redis: url, bundle, device: 'cpu' });
  const [started, used, redisUsed] = [performance.now(), process.cpuUsage(), await redisSeconds()];
  while ((await fleet.batch(batch)).state === 'running') await pause(100);
  const { user, system } = process.cpuUsage(used);
  const seconds = (performance.now() - started) / 1000;
  const result = {
    name,
    clock: seconds / count,
    cpu: (user + system) / 1e6 / count,
    redis: ((await redisSeconds()) - redisUsed) / count,
  };
  await worker.stop();
  return result;
}

/** Empty files, which are only listed. @returns bytes of Redis an image, and milliseconds of a submit an image */
async function weigh(fleet, { count, chunk }) {
  const input = join(root, `references-${count}`);
  mkdirSync(input, { recursive: true });
  for (let i = 0; i < count; i += 1)
    writeFileSync(join(input, `photo-${String(i).padStart(9, '0')}.jpg`), '');
  await redis.flushall();
  const before = await memory();
  const started = performance.now();
  await fleet.submit({ bundle: bundles[0], inputs: [input], out: join(root, 'none'), chunk });
  const milliseconds = performance.now() - started;
  return { bytes: ((await memory()) - before) / count, milliseconds: milliseconds / count };
}

/** What is kept of outputs, as packages/runtime-node/src/fleet/outputs.ts writes it. @returns bytes an image */
async function weighOutputs(count) {
  await redis.flushall();
  const before = await memory();
  for (let from = 0; from < count; from += 1000) {
    const pipeline = redis.pipeline();
    for (let i = from; i < from + 1000; i += 1) {
      const id = createHash('sha256').update(`output ${i}`).digest('hex');
      const bucket = `cyclegan-outputs:${id.slice(0, 4)}`;
      pipeline
        .hset(bucket, Buffer.from(id.slice(4, 20), 'hex'), Buffer.from(id.slice(20, 36), 'hex'))
        .expire(bucket, 1e6);
    }
    await pipeline.exec();
  }
  return ((await memory()) - before) / count;
}

const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
/** As a person says it. */
function span(hours) {
  if (hours < 1 / 60) return `${Math.ceil(3600 * hours)} s`;
  if (hours < 1) return `${Math.round(60 * hours)} min`;
  return hours < 48 ? `${rounded(hours)} h` : `${rounded(hours / 24)} days`;
}
const rounded = (number) =>
  number >= 100 ? Math.round(number).toLocaleString('en') : Number(number.toPrecision(2));

try {
  while (redis.status !== 'ready') await pause(50);
  const fleet = await openFleet({ redis: url });
  console.log(
    `${cpus()[0]?.model}, ${availableParallelism()} cores; JPEGs of ${size}x${size}; redis ${execFileSync('redis-server', ['--version'], { encoding: 'utf8' }).match(/v=(\S+)/)[1]}\n`,
  );

  const input = join(root, 'photos');
  await makeImages(input, images);
  const costs = [];
  for (const [i, bundle] of bundles.entries()) {
    const [out, warm] = [join(root, `out${i}`), join(root, `warm${i}`)];
    await run(fleet, { bundle, input, out: warm, count: images });
    costs.push(await run(fleet, { bundle, input, out, count: images }));
  }
  const here = availableParallelism();
  console.log('**One image, with its queue**\n');
  console.log(
    table(
      ['bundle', 'ms by the clock', `ms of a core, paid (by ${here} cores)`, 'ms of a core, used'],
      costs.map(({ name, clock, cpu }) => [
        name,
        ...[clock, clock * here, cpu].map((seconds) => (1000 * seconds).toFixed(1)),
      ]),
    ),
  );

  // Many images with next to nothing to compute; and as another batch, which finds all outputs there.
  const [bundle] = bundles;
  const [small, count] = [join(root, 'small'), 3000];
  await makeImages(small, count, 32);
  const busy = await run(fleet, { bundle, input: small, out: join(root, 'small-out'), count });
  writeFileSync(join(small, 'zz.jpg'), 'another batch');
  const idle = await run(fleet, { bundle, input: small, out: join(root, 'small-out'), count: count + 1 });
  console.log('\n**The queue, storage and hashing alone** (images of 32x32)\n');
  console.log(
    table(
      ['an image that is', 'ms by the clock', 'ms of a core', 'ms of Redis'],
      [
        ['translated', busy],
        ['there already', idle],
      ].map(([what, { clock, cpu, redis: own }]) => [
        what,
        ...[clock, cpu, own].map((seconds) => (1000 * seconds).toFixed(3)),
      ]),
    ),
  );

  const rows = [];
  for (const count of references) {
    for (const chunk of [32, 256]) {
      const { bytes, milliseconds } = await weigh(fleet, { count, chunk });
      rows.push([
        count.toLocaleString('en'),
        chunk,
        bytes.toFixed(0),
        `${rounded((bytes * 1e9) / 2 ** 30)} GB`,
        rounded(1000 / milliseconds),
      ]);
    }
  }
  console.log('\n**Redis, while images wait**\n');
  console.log(
    table(['images', 'in a chunk', 'bytes an image', 'of 10⁹ at once', 'submitted a second'], rows),
  );
  const kept = [];
  for (const count of [100_000, 1_000_000])
    kept.push([count.toLocaleString('en'), (await weighOutputs(count)).toFixed(0)]);
  console.log(
    '\n**Redis, for what is done** (one bit an image while the batch is kept, and the record of its output)\n',
  );
  console.log(table(['outputs', 'bytes an output'], kept));

  for (const { name, clock } of costs) {
    console.log(`\n**${name}**: time on machines of ${cores} cores, and cost at ${price} a core hour\n`);
    const rows = [1e4, 1e5, 1e6, 1e7, 1e8, 1e9].map((count) => {
      const hours = (count * clock * here) / 3600;
      const times = [1, 10, 100, 1000].map((machines) => span(hours / (machines * cores)));
      return [count.toLocaleString('en'), rounded(hours), ...times, rounded(hours * price)];
    });
    console.log(
      table(
        ['images', 'core hours', '1 machine', '10 machines', '100 machines', '1,000 machines', 'cost'],
        rows,
      ),
    );
  }
  await fleet.close();
} finally {
  redis.disconnect();
  server.kill('SIGKILL');
  rmSync(root, { recursive: true, force: true });
}
