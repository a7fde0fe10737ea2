/**
 * The training step on every device that this machine has: CPU, CUDA by number of steps a run, WebGPU; and PyTorch on
 * CUDA, in eager fp32 and TF32. Each measurement is a process of its own.
 *
 *     node bench/train-devices.mjs [--size 256 --ngf 64 --blocks 9] [--steps 16] [--k 1,2,4,8,16,32] [--rounds 3]
 *                                  [--devices cpu,cuda,webgpu] [--threads N] [--python PATH ...]
 *
 * --python names interpreters whose torch has CUDA. Without a GPU the default is 64×64, ngf 32, 6 blocks. A device that
 * is not there is named, with the reason. onnxruntime's CUDA provider computes in TF32 unless NVIDIA_TF32_OVERRIDE=0,
 * with which it is measured too.
 */
import { execFile, execFileSync } from 'node:child_process';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { createOrtEngine, deviceAbsence, practiceInputs, practiceRun } from '@cyclegan/train';

const { values } = parseArgs({
  options: {
    size: { type: 'string' },
    ngf: { type: 'string' },
    blocks: { type: 'string' },
    steps: { type: 'string', default: '16' },
    rounds: { type: 'string', default: '3' },
    k: { type: 'string', default: '1,2,4,8,16,32' },
    devices: { type: 'string' },
    threads: { type: 'string', default: String(availableParallelism()) },
    python: { type: 'string', multiple: true, default: [] },
    worker: { type: 'string' },
  },
});
const threads = Number(values.threads);
const limitMs = 15 * 60_000;
const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** Times whole runs in this process after one that is not timed, and prints one JSON line. */
async function work({ device, size, ngf, blocks, steps, stepsPerRun }) {
  const base = practiceRun();
  const { generator, discriminator } = base.networks;
  const options = {
    ...base,
    networks: {
      generator: { ...generator, ngf, blocks },
      discriminator: { ...discriminator, ndf: ngf },
    },
    height: size,
    width: size,
    device,
    threads,
    stepsPerRun,
  };
  const creating = performance.now();
  const engine = await createOrtEngine(options);
  const readyMs = performance.now() - creating;
  const inputs = practiceInputs(options, engine.stepsPerRun);
  const first = performance.now();
  await engine.run(inputs);
  const firstMs = performance.now() - first;
  const times = [];
  for (let done = 0; done < steps || times.length < 2; done += inputs.length) {
    const started = performance.now();
    await engine.run(inputs);
    times.push((performance.now() - started) / inputs.length);
  }
  await engine.dispose();
  const peakGb = (process.resourceUsage().maxRSS * 1024) / 1e9;
  console.log(
    JSON.stringify({ stepMs: median(times), stepsPerRun: engine.stepsPerRun, readyMs, firstMs, peakGb }),
  );
}

/** Runs a program that ends with a line of JSON; gives that, or in `failed` the last line of what it said. */
async function measure(program, args, env = {}) {
  try {
    const { stdout } = await promisify(execFile)(program, args, {
      env: { ...process.env, ...env },
      timeout: limitMs,
    });
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  } catch (error) {
    const said = String(error.stderr ?? '').match(/^.*(?:Error:|finds no).*$/m)?.[0];
    return { failed: said ?? (error.killed ? `no end in ${limitMs / 60_000} minutes` : error.message) };
  }
}

function runOurs(config, env) {
  const self = fileURLToPath(import.meta.url);
  return measure(
    process.execPath,
    [self, '--worker', JSON.stringify(config), '--threads', String(threads)],
    env,
  );
}

function runPeer(python, { size, ngf, blocks, steps }, tf32) {
  const script = fileURLToPath(new URL('peers/torch_step.py', import.meta.url));
  const options = { size, ngf, blocks, ndf: ngf, steps, threads, device: 'cuda' };
  const flags = Object.entries(options).flatMap(([key, value]) => [`--${key}`, String(value)]);
  return measure(python, [script, ...flags, ...(tf32 ? ['--tf32'] : [])]);
}

function gpuName() {
  try {
    const query = ['--query-gpu=name,driver_version', '--format=csv,noheader'];
    return execFileSync('nvidia-smi', query, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'no NVIDIA GPU';
  }
}

/** What is measured, in the order of the table's rows. */
function plan(config) {
  const asked = values.devices?.split(',') ?? ['cpu', 'webgpu', 'cuda'];
  const runs = [];
  for (const device of asked) {
    // A software adapter is measured only when asked for by name.
    const absent = values.devices && device === 'webgpu' ? undefined : deviceAbsence(device);
    if (absent) {
      console.log(`${device}: not measured: ${absent.reason}. ${absent.fix}`);
      continue;
    }
    const ours = (name, stepsPerRun, env) => ({
      name,
      peer: false,
      run: () => runOurs({ ...config, device, stepsPerRun }, env),
    });
    if (device === 'webgpu') runs.push(ours('WebGPU', 1));
    if (device === 'cpu') runs.push(ours('CPU', 1), ours('CPU, as a loop', 4));
    if (device === 'cuda') {
      for (const k of values.k.split(',').map(Number)) runs.push(ours('CUDA, TF32', k));
      runs.push(ours('CUDA, TF32, auto', 'auto'));
      runs.push(ours('CUDA, fp32, auto', 'auto', { NVIDIA_TF32_OVERRIDE: '0' }));
    }
  }
  for (const python of values.python) {
    for (const tf32 of [false, true]) {
      const name = `PyTorch, CUDA, ${tf32 ? 'TF32' : 'fp32'}`;
      runs.push({ name, peer: true, run: () => runPeer(python, config, tf32) });
    }
  }
  return runs;
}

async function compare() {
  const gpu = !deviceAbsence('cuda') || !deviceAbsence('webgpu');
  const usual = gpu ? { size: 256, ngf: 64, blocks: 9 } : { size: 64, ngf: 32, blocks: 6 };
  const sizes = Object.fromEntries(
    Object.entries(usual).map(([key, value]) => [key, Number(values[key] ?? value)]),
  );
  const config = { ...sizes, steps: Number(values.steps) };
  const { size, ngf, blocks } = config;
  console.log(
    `Training step, ${size}×${size}, ngf ${ngf}, ${blocks} blocks, batch 1, pool 50; median of ${values.rounds} rounds.`,
  );
  console.log(
    `${cpus()[0]?.model}, ${threads} threads, ${Math.round(totalmem() / 2 ** 30)} GB; ${gpuName()}; ${type()} ${release()}, Node ${process.versions.node}\n`,
  );
  const runs = plan(config).map((entry) => ({ ...entry, results: [], failed: undefined }));
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const entry of runs.filter(({ failed }) => failed === undefined)) {
      const result = await entry.run();
      if (result.failed === undefined) entry.results.push(result);
      else entry.failed = result.failed;
    }
  }
  const measured = runs.filter(({ failed }) => failed === undefined);
  for (const { name, failed } of runs)
    if (failed !== undefined) console.log(`${name}: not measured: ${failed}`);
  const stepMs = ({ results }) => median(results.map((result) => result.stepMs ?? result.medianMs));
  const peers = measured.filter(({ peer }) => peer);
  const names = peers.map(
    ({ name, results }) => `against ${name.replace('PyTorch', `PyTorch ${results[0].torch}`)}`,
  );
  const header = ['side', 'steps a run', 'ms a step', 'first run', 'host memory', ...names];
  console.log(`\n| ${header.join(' | ')} |\n|${header.map(() => '---').join('|')}|`);
  for (const entry of measured) {
    const { stepsPerRun, firstMs, peakGb } = entry.results[0];
    const own = stepMs(entry);
    const cells = [
      entry.name,
      stepsPerRun ?? '',
      own.toFixed(own < 10 ? 2 : 0),
      firstMs === undefined ? '' : `${(firstMs / 1000).toFixed(1)} s`,
      peakGb === undefined ? '' : `${peakGb.toFixed(1)} GB`,
      ...peers.map((peer) => (peer === entry ? '' : `${(stepMs(peer) / own).toFixed(2)}×`)),
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
  if (measured.length === 0) process.exitCode = 1;
}

if (values.worker) await work(JSON.parse(values.worker));
else await compare();
