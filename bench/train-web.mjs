/**
 * A training step in a page (Chromium, WebAssembly) against the same step in Node, turn by turn in one run: with the
 * threads that an isolated page has, and with the one of any other page.
 *
 *     node bench/train-web.mjs [--steps 20] [--rounds 2]
 */
import { availableParallelism, cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { networksSchema } from '@cyclegan/model';
import { createOrtEngine, practiceInputs, practiceRun } from '@cyclegan/train';
import { webPresets } from '@cyclegan/train/web';
import { chromium } from 'playwright';
import { createServer } from 'vite';
import { findBrowser } from '../scripts/test-tools.mjs';

const { values } = parseArgs({
  options: { steps: { type: 'string', default: '20' }, rounds: { type: 'string', default: '2' } },
});
const [steps, rounds] = [Number(values.steps), Number(values.rounds)];
const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** Serves this repository's built packages, and an empty page. */
async function openSite(isolated) {
  const headers = isolated
    ? { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' }
    : {};
  const server = await createServer({
    root: fileURLToPath(new URL('..', import.meta.url)),
    configFile: false,
    logLevel: 'error',
    server: { headers, port: 0, host: '127.0.0.1' },
    optimizeDeps: { noDiscovery: true },
    plugins: [
      {
        name: 'empty-page',
        configureServer: ({ middlewares }) => {
          middlewares.use('/empty', (_request, response) => {
            for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
            response.setHeader('Content-Type', 'text/html').end('<!doctype html>');
          });
        },
      },
    ],
  });
  await server.listen();
  return server;
}

/** Runs in the page: milliseconds of each step after the first two. */
async function trainInPage({ size, ngf, blocks, steps }) {
  const { createTrainer } = await import('/packages/train/dist/web/index.js');
  const image = () => {
    const data = new Uint8Array(3 * size * size).map(() => 256 * Math.random());
    return { width: size, height: size, channels: 3, data };
  };
  const [a, b] = [0, 1].map(() => Array.from({ length: 4 }, image));
  const began = performance.now();
  const trainer = await createTrainer({ a, b, size, ngf, blocks, steps: steps + 2, device: 'wasm' });
  const readyMs = performance.now() - began;
  const times = [];
  let last = performance.now();
  await trainer.train({
    onProgress() {
      times.push(performance.now() - last);
      last = performance.now();
    },
  });
  const bundling = performance.now();
  await trainer.bundle();
  const bundleMs = performance.now() - bundling;
  const { threads, parameters } = trainer.info;
  trainer.dispose();
  return { times: times.slice(2), readyMs, bundleMs, threads, parameters };
}

async function trainInNode({ size, ngf, blocks, threads }) {
  const run = practiceRun();
  const { generator, discriminator } = run.networks;
  const networks = networksSchema.parse({
    generator: { ...generator, ngf, blocks },
    discriminator: { ...discriminator, ndf: ngf },
  });
  const options = { ...run, networks, height: size, width: size, device: 'cpu', threads };
  const engine = await createOrtEngine(options);
  const times = [];
  for (const input of practiceInputs(options, steps + 2)) {
    const began = performance.now();
    await engine.run([input]);
    times.push(performance.now() - began);
  }
  await engine.dispose();
  return times.slice(2);
}

const browser = await chromium.launch({ executablePath: findBrowser(), args: ['--no-sandbox'] });
console.log(`${cpus()[0]?.model}, ${availableParallelism()} cores; Chromium ${browser.version()}`);
console.log('preset   size ngf blocks threads  ready ms  page ms/step  Node ms/step  ratio  bundle ms');
for (const [preset, { size, ngf, blocks }] of Object.entries(webPresets)) {
  for (const isolated of [true, false]) {
    const server = await openSite(isolated);
    const inPage = [];
    const inNode = [];
    let facts;
    for (let round = 0; round < rounds; round++) {
      const page = await browser.newPage();
      await page.goto(new URL('/empty', server.resolvedUrls.local[0]).href);
      facts = await page.evaluate(trainInPage, { size, ngf, blocks, steps });
      await page.close();
      inPage.push(...facts.times);
      inNode.push(...(await trainInNode({ size, ngf, blocks, threads: facts.threads })));
    }
    const [page, node] = [median(inPage), median(inNode)];
    const row = [size, ngf, blocks, facts.threads].map((value) => String(value).padStart(5)).join(' ');
    const rest = [facts.readyMs, page, node].map((ms) => ms.toFixed(0).padStart(12)).join(' ');
    console.log(
      `${preset.padEnd(7)}${row} ${rest} ${(page / node).toFixed(2).padStart(7)} ${facts.bundleMs.toFixed(0).padStart(9)}`,
    );
    await server.close();
  }
}
await browser.close();
