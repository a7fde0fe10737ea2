/**
 * The Node translator on the CPU: how threads are best shared among workers, what the event loop feels of it, what a
 * run shared by several images brings, and whether memory stays where it was. The sides take turns.
 *
 *     node --expose-gc bench/translator.mjs BUNDLE [--size 256] [--images 24] [--rounds 3] [--runs 5000] [--cycles 50]
 */
import { availableParallelism, cpus } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createTranslator } from '@cyclegan/runtime-node';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: 'string', default: '256' },
    images: { type: 'string', default: '24' },
    rounds: { type: 'string', default: '3' },
    runs: { type: 'string', default: '5000' },
    cycles: { type: 'string', default: '50' },
  },
});
const [bundle] = positionals;
const { size, images, rounds, runs, cycles } = Object.fromEntries(
  Object.entries(values).map(([name, value]) => [name, Number(value)]),
);
if (!bundle) {
  console.error(
    'usage: node --expose-gc bench/translator.mjs BUNDLE [--size N] [--images N] [--rounds N] [--runs N] [--cycles N]',
  );
  process.exit(2);
}

const threads = availableParallelism();
const open = (options) => createTranslator(bundle, { device: 'cpu', threads, ...options });
const picture = (side) => ({
  width: side,
  height: side,
  channels: 3,
  data: Uint8Array.from({ length: 3 * side * side }, (_, i) => (i * 7) % 256),
});
const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const megabytes = () => {
  globalThis.gc?.();
  return Math.round(process.memoryUsage().rss / 2 ** 20);
};

/** Images a second, all of them asked for at once. */
async function rate(translator) {
  const started = performance.now();
  await Promise.all(Array.from({ length: images }, () => translator.translatePixels(picture(size))));
  return (1000 * images) / (performance.now() - started);
}

/** Milliseconds of one image with nothing before it. */
async function alone(translator) {
  return (await translator.translatePixels(picture(size))).runMs;
}

async function compareSplits() {
  const workers = [1, 2, 4, 8].filter((count) => count <= threads);
  const sides = [
    ...workers.map((count) => ({ workers: count, batch: 1 })),
    ...[2, 4].map((batch) => ({ workers: 1, batch })),
  ];
  console.log(`${images} images of ${size}x${size}, ${threads} threads; ${cpus()[0]?.model}\n`);
  console.log('| workers | most images a run | images/s | one alone, ms | RSS, MB |\n|---|---|---|---|---|');
  const opened = [];
  for (const side of sides) {
    const before = megabytes();
    const translator = await open(side);
    await rate(translator);
    opened.push({ side, translator, rates: [], times: [], memory: megabytes() - before });
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const each of opened) {
      each.rates.push(await rate(each.translator));
      each.times.push(await alone(each.translator));
    }
  }
  for (const { side, translator, rates, times, memory } of opened) {
    const row = [side.workers, side.batch, median(rates).toFixed(2), median(times).toFixed(1), `+${memory}`];
    console.log(`| ${row.join(' | ')} |`);
    await translator.dispose();
  }
}

/** The event loop's delay over what a timer of 1 ms has of itself, in ms. */
async function loopDelay(work) {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await work();
  delay.disable();
  return { p50: delay.percentile(50) / 1e6, p99: delay.percentile(99) / 1e6, max: delay.max / 1e6 };
}

async function compareDelay() {
  const translator = await open({});
  await rate(translator);
  console.log('\n| event loop delay, ms | p50 | p99 | most |\n|---|---|---|---|');
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, work] of [
      ['idle', () => wait(2000)],
      ['translating', () => rate(translator)],
    ]) {
      const { p50, p99, max } = await loopDelay(work);
      console.log(`| ${name} | ${p50.toFixed(1)} | ${p99.toFixed(1)} | ${max.toFixed(1)} |`);
    }
  }
  await translator.dispose();
}

async function watchMemory() {
  console.log(`\n| RSS, MB | first | ${[1, 2, 3, 4].map((part) => `${part}/4`).join(' | ')} |`);
  console.log('|---|---|---|---|---|---|');
  const translator = await open({});
  const seen = [];
  for (let done = 0; done < runs; done += 1) {
    await translator.translatePixels(picture(64));
    if (done === 100 || (done + 1) % (runs / 4) === 0) seen.push(megabytes());
  }
  await translator.dispose();
  console.log(`| ${runs} images of 64x64 | ${seen.join(' | ')} |`);
  const after = [];
  for (let done = 0; done < cycles; done += 1) {
    const own = await open({});
    await own.translatePixels(picture(64));
    await own.dispose();
    if (done === 4 || (done + 1) % (cycles / 4) < 1) after.push(megabytes());
  }
  console.log(`| ${cycles} times opened and disposed | ${after.join(' | ')} |`);
}

await compareSplits();
await compareDelay();
await watchMemory();
