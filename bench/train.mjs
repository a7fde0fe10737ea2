/**
 * The training step on the CPU against eager PyTorch: the same networks, batch and threads, turn by turn in one run.
 * Each side is a process of its own, so that the peak memory is its own too.
 *
 *     node bench/train.mjs [--rounds 3] [--steps 10] [--threads N] [--full] [--python PATH ...]
 *
 * --python names interpreters that can import torch (default: /usr/bin/python3); --full adds 256×256, ngf 64, 9 blocks.
 */
import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeOnnx } from '@cyclegan/graph';
import { createImagePool, createOrtEngine, stepGraph } from '@cyclegan/train';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    steps: { type: 'string', default: '10' },
    threads: { type: 'string', default: String(availableParallelism()) },
    full: { type: 'boolean', default: false },
    python: { type: 'string', multiple: true, default: ['/usr/bin/python3'] },
    worker: { type: 'string' },
  },
});
const threads = Number(values.threads);
const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** Times our step in this process and prints one JSON line, as the PyTorch peer does. */
async function work({ size, ngf, blocks, steps }) {
  const networks = {
    generator: { kind: 'resnet', blocks, ngf, inputChannels: 3, outputChannels: 3 },
    discriminator: { kind: 'patch', ndf: ngf, layers: 3, inputChannels: 3 },
  };
  const objective = { gan: 'lsgan', lambdaA: 10, lambdaB: 10, lambdaIdentity: 0.5 };
  const started = performance.now();
  writeOnnx(stepGraph({ networks, objective, batch: 1, height: size, width: size }));
  const graphMs = performance.now() - started;
  const creating = performance.now();
  const engine = await createOrtEngine({ networks, objective, batch: 1, size, seed: 1, threads });
  const readyMs = performance.now() - creating;
  const image = () => Float32Array.from({ length: 3 * size * size }, () => Math.random() * 2 - 1);
  const elements = 3 * size * size;
  const pool = (domain) => createImagePool({ capacity: 50, batch: 1, elements, seed: 1, domain });
  const pools = { A: pool('A'), B: pool('B') };
  const [a, b] = [image(), image()];
  const times = [];
  for (let step = 0; step < steps + 2; step++) {
    const start = performance.now();
    const choice = { A: pools.A.choose(step), B: pools.B.choose(step) };
    const { fake } = await engine.step({ a, b, pool: choice, learningRate: 2e-4 });
    pools.A.store(fake.A);
    pools.B.store(fake.B);
    times.push(performance.now() - start);
  }
  await engine.dispose();
  const peakGb = (process.resourceUsage().maxRSS * 1024) / 1e9;
  console.log(JSON.stringify({ medianMs: median(times.slice(2)), graphMs, readyMs, peakGb }));
}

function runOurs(config) {
  const self = fileURLToPath(import.meta.url);
  return execFileSync(process.execPath, [
    self,
    '--worker',
    JSON.stringify(config),
    '--threads',
    String(threads),
  ]);
}

function runPeer(python, { size, ngf, blocks, steps }) {
  const script = fileURLToPath(new URL('peers/torch_step.py', import.meta.url));
  const options = { size, ngf, blocks, ndf: ngf, steps, threads };
  return execFileSync(python, [
    script,
    ...Object.entries(options).flatMap(([key, value]) => [`--${key}`, String(value)]),
  ]);
}

function compare() {
  const rounds = Number(values.rounds);
  const configs = [
    { size: 64, ngf: 32, blocks: 6, steps: Number(values.steps) },
    { size: 128, ngf: 64, blocks: 9, steps: Math.ceil(Number(values.steps) / 3) },
    ...(values.full ? [{ size: 256, ngf: 64, blocks: 9, steps: 2 }] : []),
  ];
  console.log(
    `Training step, batch 1, ${threads} threads, median of ${rounds} rounds; ${cpus()[0]?.model}\n`,
  );
  console.log(
    '| networks | side | ms a step | speed of ours against it | peak memory | graph built | session ready |',
  );
  console.log('|---|---|---|---|---|---|---|');
  for (const config of configs) {
    const ours = [];
    const peers = values.python.map(() => []);
    for (let round = 0; round < rounds; round++) {
      ours.push(JSON.parse(runOurs(config)));
      for (const [i, python] of values.python.entries()) peers[i].push(JSON.parse(runPeer(python, config)));
    }
    const name = `${config.size}×${config.size}, ngf ${config.ngf}, ${config.blocks} blocks`;
    const of = (key) => median(ours.map((run) => run[key]));
    console.log(
      `| ${name} | this project | ${of('medianMs').toFixed(0)} | | ${of('peakGb').toFixed(1)} GB | ${(of('graphMs') / 1000).toFixed(2)} s | ${(of('readyMs') / 1000).toFixed(2)} s |`,
    );
    for (const runs of peers) {
      const ratio = median(runs.map((run, round) => run.medianMs / ours[round].medianMs));
      const ms = median(runs.map((run) => run.medianMs));
      console.log(`| ${name} | PyTorch ${runs[0].torch} | ${ms.toFixed(0)} | ${ratio.toFixed(2)}× | | | |`);
    }
  }
}

if (values.worker) await work(JSON.parse(values.worker));
else compare();
