/** What a translator does to the process that it lives in: its memory, its threads, its event loop, its end. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { tinyBundle } from './support.ts';

/** Runs a module in a process of its own, which finds packages from here; what it printed, as JSON. */
async function runProgram(program: string): Promise<ReturnType<typeof JSON.parse>> {
  const args = ['--expose-gc', '--input-type=module', '-e', program, tinyBundle];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: import.meta.dirname });
  return JSON.parse(stdout);
}

const start = `
  import { createTranslator } from '@cyclegan/runtime-node';
  const [bundle] = process.argv.slice(1);
  const open = (options) => createTranslator(bundle, { device: 'cpu', ...options });
  const picture = (side) =>
    ({ width: side, height: side, channels: 3, data: new Uint8Array(3 * side * side).fill(side % 256) });`;

describe('the process of a translator', () => {
  it('is as large and has as many threads after fifty of them as after ten, and ends by itself', async () => {
    const { sizes, threads } = await runProgram(`${start}
      import { readdirSync } from 'node:fs';
      const sizes = [];
      const threads = [];
      for (let cycle = 1; cycle <= 50; cycle += 1) {
        const translator = await open({ threads: 2 });
        await Promise.all([24, 64, 128].map((side) => translator.translatePixels(picture(side))));
        await translator.dispose();
        if (cycle % 10 > 0) continue;
        gc();
        sizes.push(process.memoryUsage().rss / 2 ** 20);
        threads.push(process.platform === 'linux' ? readdirSync('/proc/self/task').length : 0);
      }
      console.log(JSON.stringify({ sizes, threads }));`);
    // A session and its arena are some 30 MB here: one that stayed each time would add more than a gigabyte.
    expect(Math.min(...sizes.slice(-2)) - sizes[0]).toBeLessThan(25);
    expect(threads.at(-1)).toBeLessThanOrEqual(threads[0]);
  });

  it('has its event loop to itself: a hundredth of all turns is late by less than 20 ms', async () => {
    const { idle, busy, images } = await runProgram(`${start}
      import { monitorEventLoopDelay } from 'node:perf_hooks';
      import { setTimeout as wait } from 'node:timers/promises';
      const translator = await open({ tile: 'none' });
      async function delayDuring(work) {
        const delay = monitorEventLoopDelay({ resolution: 1 });
        delay.enable();
        await work();
        delay.disable();
        return delay.percentile(99) / 1e6;
      }
      let images = 0;
      async function translate(until) {
        while (performance.now() < until) {
          await translator.translatePixels(picture(384));
          images += 1;
        }
      }
      await translate(performance.now() + 500);
      // In turns, and the best of each: what else the machine does weighs on both.
      const [idle, busy] = [[], []];
      for (let round = 0; round < 3; round += 1) {
        idle.push(await delayDuring(() => wait(500)));
        const until = performance.now() + 1200;
        busy.push(await delayDuring(() => Promise.all([1, 2, 3].map(() => translate(until)))));
      }
      await translator.dispose();
      console.log(JSON.stringify({ idle: Math.min(...idle), busy: Math.min(...busy), images }));`);
    expect(images).toBeGreaterThan(10);
    expect(busy - idle).toBeLessThan(20);
  });
});
