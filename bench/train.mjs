/**
 * The training step on the CPU against eager PyTorch: the same networks, batch and threads, turn by turn in one run.
 * Each side is a process of its own, so that the peak memory is its own too.
 *
 *     node bench/train.mjs [--rounds 3] [--steps 10] [--threads N] [--full] [--recompute] [--profile] [--python PATH ...]
 *
 * --python names interpreters that can import torch (default: /usr/bin/python3); --full adds 256×256, ngf 64, 9 blocks;
 * --recompute adds a row for our step when it keeps no activations of residual blocks; --profile prints where the time
 * goes by operator, and nothing else.
 */
import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeOnnx } from '@cyclegan/graph';
import { createOrtEngine, practiceInputs, practiceRun, stepGraph } from '@cyclegan/train';
import { printProfile } from './train-profile.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    steps: { type: 'string', default: '10' },
    threads: { type: 'string', default: String(availableParallelism()) },
    full: { type: 'boolean', default: false },
    recompute: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
    python: { type: 'string', multiple: true, default: ['/usr/bin/python3'] },
    worker: { type: 'string' },
  },
});
const threads = Number(values.threads);
const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

function optionsOf({ size, ngf, blocks, recompute = false }) {
  const run = practiceRun();
  const { generator, discriminator } = run.networks;
  return {
    ...run,
    networks: {
      generator: { ...generator, ngf, blocks },
      discriminator: { ...discriminator, ndf: ngf },
    },
    height: size,
    width: size,
    device: 'cpu',
    threads,
    recompute,
  };
}

/** Times our step in this process and prints one JSON line, as the PyTorch peer does. */
async function work(config) {
  const options = optionsOf(config);
  const started = performance.now();
  writeOnnx(stepGraph(options));
  const graphMs = performance.now() - started;
  const creating = performance.now();
  const engine = await createOrtEngine(options);
  const readyMs = performance.now() - creating;
  const times = [];
  for (const input of practiceInputs(options, config.steps + 2)) {
    const start = performance.now();
    await engine.run([input]);
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

function configs() {
  return [
    { size: 64, ngf: 32, blocks: 6, steps: Number(values.steps) },
    { size: 128, ngf: 64, blocks: 9, steps: Math.ceil(Number(values.steps) / 3) },
    ...(values.full ? [{ size: 256, ngf: 64, blocks: 9, steps: 2 }] : []),
  ];
}

const titleOf = ({ size, ngf, blocks }) => `${size}×${size}, ngf ${ngf}, ${blocks} blocks`;

function compare() {
  const rounds = Number(values.rounds);
  console.log(
    `Training step, batch 1, ${threads} threads, median of ${rounds} rounds; ${cpus()[0]?.model}\n`,
  );
  console.log(
    '| networks | side | ms a step | speed of ours against it | peak memory | graph built | session ready |',
  );
  console.log('|---|---|---|---|---|---|---|');
  for (const config of configs()) {
    const name = titleOf(config);
    const ours = [];
    const recomputed = [];
    const peers = values.python.map(() => []);
    for (let round = 0; round < rounds; round++) {
      ours.push(JSON.parse(runOurs(config)));
      if (values.recompute) recomputed.push(JSON.parse(runOurs({ ...config, recompute: true })));
      for (const [i, python] of values.python.entries()) peers[i].push(JSON.parse(runPeer(python, config)));
    }
    const ratio = (runs) => median(runs.map((run, round) => run.medianMs / ours[round].medianMs)).toFixed(2);
    const row = (side, runs, against) => {
      const of = (key) => median(runs.map((run) => run[key]));
      const seconds = (key) => `${(of(key) / 1000).toFixed(2)} s`;
      console.log(
        `| ${name} | ${side} | ${of('medianMs').toFixed(0)} | ${against} | ${of('peakGb').toFixed(1)} GB | ${seconds('graphMs')} | ${seconds('readyMs')} |`,
      );
    };
    row('this project', ours, '');
    if (values.recompute) row('this project, --recompute', recomputed, `${ratio(recomputed)}×`);
    for (const runs of peers) {
      const ms = median(runs.map((run) => run.medianMs));
      console.log(`| ${name} | PyTorch ${runs[0].torch} | ${ms.toFixed(0)} | ${ratio(runs)}× | | | |`);
    }
  }
}

if (values.worker) await work(JSON.parse(values.worker));
else if (values.profile)
  for (const config of configs()) await printProfile(optionsOf(config), titleOf(config));
else compare();
