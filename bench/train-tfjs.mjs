/**
 * The training step on the CPU by engine `tfjs` against engine `ort`: the same networks, batch, threads and inputs, turn
 * by turn in one run, each side a process of its own.
 *
 *     node bench/train-tfjs.mjs [--rounds 3] [--steps 5] [--threads N] [--full]
 *
 * On TensorFlow where @tensorflow/tfjs-node loads (docs/tfjs-engine.md says how, also with NODE_PATH), at a small size
 * in plain JavaScript too. @tensorflow/tfjs-backend-wasm, where it is installed, cannot train: the table says why, and
 * how fast it translates. --full adds 128×128, ngf 64, 9 blocks. Beside the time on the clock stands the processor's,
 * which other programs disturb less; the ratios are of that.
 */
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createOrtEngine, createTfjsEngine, practiceInputs, practiceRun } from '@cyclegan/train';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    steps: { type: 'string', default: '5' },
    threads: { type: 'string', default: String(availableParallelism()) },
    full: { type: 'boolean', default: false },
    worker: { type: 'string' },
  },
});
const threads = Number(values.threads);
const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const require = createRequire(new URL('../packages/train/package.json', import.meta.url));

// TensorFlow's notes on the processor, which loading it for a look would print.
process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';

/** Opens one side's engine. */
async function open(side, options) {
  if (side === 'ort') return createOrtEngine(options);
  if (side === 'wasm') {
    const tf = require('@tensorflow/tfjs');
    const engine = await createTfjsEngine({ ...options, load: only('@tensorflow/tfjs') });
    require('@tensorflow/tfjs-backend-wasm');
    if (!(await tf.setBackend('wasm'))) throw new Error('the wasm backend does not start');
    return engine;
  }
  return createTfjsEngine({ ...options, load: only(side) });
}

const only = (package_) => (name) => {
  if (name !== package_) throw new Error('not asked for');
  return require(name);
};

/** Medians of wall and processor time over the runs after two that are not timed. */
async function time(times, run) {
  const [wall, cpu] = [[], []];
  for (let i = 0; i < times + 2; i++) {
    const [started, before] = [performance.now(), process.cpuUsage()];
    await run(i);
    const { user, system } = process.cpuUsage(before);
    wall.push(performance.now() - started);
    cpu.push((user + system) / 1000);
  }
  return { wall: median(wall.slice(2)), cpu: median(cpu.slice(2)) };
}

async function work({ side, size, ngf, blocks, steps }) {
  const run = practiceRun();
  const { generator, discriminator } = run.networks;
  const options = {
    ...run,
    networks: { generator: { ...generator, ngf, blocks }, discriminator: { ...discriminator, ndf: ngf } },
    height: size,
    width: size,
    device: 'cpu',
    threads,
  };
  const engine = await open(side, options);
  const inputs = practiceInputs(options, steps + 2);
  const sample = await time(steps, () => engine.sample({ a: inputs[0].a, b: inputs[0].b }));
  const result = { device: engine.device, sample };
  try {
    result.step = await time(steps, (i) => engine.run([inputs[i]]));
  } catch (error) {
    result.refused = error.message.split('\n')[0];
  }
  result.peakGb = (process.resourceUsage().maxRSS * 1024) / 1e9;
  console.log(JSON.stringify(result));
}

function measure(config) {
  const self = fileURLToPath(import.meta.url);
  const args = [self, '--worker', JSON.stringify(config), '--threads', String(threads)];
  const output = execFileSync(process.execPath, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return JSON.parse(output.trimEnd().split('\n').at(-1));
}

/** Whether a package can be loaded, its native parts included. */
function loads(name) {
  try {
    require(name);
    return true;
  } catch (error) {
    console.log(`${name} is left out: ${error.message.split('\n')[0]}\n`);
    return false;
  }
}

function compare() {
  const node = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'].filter(loads);
  const wasm = loads('@tensorflow/tfjs-backend-wasm') ? ['wasm'] : [];
  const steps = Number(values.steps);
  const configs = [
    { size: 32, ngf: 8, blocks: 2, steps, sides: ['ort', ...node, '@tensorflow/tfjs', ...wasm] },
    { size: 64, ngf: 32, blocks: 6, steps, sides: ['ort', ...node] },
    ...(values.full ? [{ size: 128, ngf: 64, blocks: 9, steps: 3, sides: ['ort', ...node] }] : []),
  ];
  const rounds = Number(values.rounds);
  console.log(
    `Batch 1, ${threads} threads, medians of ${rounds} rounds; ${cpus()[0]?.model}; load ${loadavg()[0]?.toFixed(1)} before it began\n`,
  );
  console.log(
    '| networks | side | step, ms | step, CPU ms | against ort | four translations, CPU ms | peak memory |',
  );
  console.log('|---|---|---|---|---|---|---|');
  for (const { sides, ...config } of configs) {
    const results = sides.map(() => []);
    for (let round = 0; round < rounds; round++) {
      for (const [i, side] of sides.entries()) results[i].push(measure({ ...config, side }));
    }
    for (const [i, side] of sides.entries()) {
      const of = (read) => median(results[i].map(read));
      const { device, refused } = results[i][0];
      const title = side === 'ort' ? 'ort' : `tfjs, ${side === 'wasm' ? 'wasm' : device}`;
      const step = refused
        ? `${refused} | | `
        : `${of((r) => r.step.wall).toFixed(0)} | ${of((r) => r.step.cpu).toFixed(0)} | ${median(results[i].map((r, round) => r.step.cpu / results[0][round].step.cpu)).toFixed(2)}×`;
      console.log(
        `| ${config.size}×${config.size}, ngf ${config.ngf}, ${config.blocks} blocks | ${title} | ${step} | ${of((r) => r.sample.cpu).toFixed(0)} | ${of((r) => r.peakGb).toFixed(1)} GB |`,
      );
    }
  }
}

if (values.worker) await work(JSON.parse(values.worker));
else compare();
