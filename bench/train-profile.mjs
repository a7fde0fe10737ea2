/**
 * Where the training step's time goes on the CPU: onnxruntime's own profile, summed by operator. Part of train.mjs,
 * which runs it in a process of its own.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeOnnx } from '@cyclegan/graph';
import { initialWeights } from '@cyclegan/model';
import { groupNames, groupParameters, noiseFor, noiseInputs, stepGraph } from '@cyclegan/train';
import { InferenceSession, Tensor } from 'onnxruntime-node';

/** What computes rather than moves. */
const arithmetic = /Conv|Gemm|MatMul/;

/** Values for all of the step's inputs: images of noise, weights as a run begins with them, moments of zero. */
function feedsOf(graph, { networks, init }) {
  const noise = new Map(noiseInputs(graph).map((input) => [input.name, noiseFor(input, 1)]));
  const weights = new Map(
    groupNames.map((group) => [
      `${group}.parameters`,
      initialWeights(groupParameters(networks, group), 1, init),
    ]),
  );
  const made = ({ name, dtype }, size) => {
    if (dtype === 'int64') return new BigInt64Array(size).fill(BigInt(size));
    if (/^(real|pool)_/.test(name)) return Float32Array.from({ length: size }, () => Math.random() * 2 - 1);
    return (
      noise.get(name) ?? weights.get(name) ?? new Float32Array(size).fill(name === 'step_size' ? 2e-4 : 0)
    );
  };
  return Object.fromEntries(
    graph.inputs.map((input) => {
      const size = input.shape.reduce((product, dim) => product * dim, 1);
      return [input.name, new Tensor(input.dtype, made(input, size), input.shape)];
    }),
  );
}

/**
 * Profiles one step after two that are not counted, since the first ones also fetch their memory.
 * @returns milliseconds and number of nodes by operator, the greatest first
 */
async function profile(options) {
  const folder = mkdtempSync(join(tmpdir(), 'cyclegan-profile-'));
  try {
    const graph = stepGraph(options);
    const session = await InferenceSession.create(writeOnnx(graph), {
      executionProviders: ['cpu'],
      graphOptimizationLevel: 'all',
      enableMemPattern: false,
      intraOpNumThreads: options.threads,
      enableProfiling: true,
      profileFilePrefix: join(folder, 'step'),
    });
    const feeds = feedsOf(graph, options);
    for (let step = 0; step < 3; step++) await session.run(feeds);
    session.endProfiling();
    const events = JSON.parse(readFileSync(join(folder, readdirSync(folder)[0]), 'utf8'));
    const last = events.findLast(({ name }) => name === 'model_run');
    const operators = new Map();
    for (const { cat, name, ts, dur, args } of events) {
      if (cat !== 'Node' || !name.endsWith('_kernel_time') || ts < last.ts) continue;
      const known = operators.get(args.op_name) ?? { ms: 0, nodes: 0 };
      operators.set(args.op_name, { ms: known.ms + dur / 1000, nodes: known.nodes + 1 });
    }
    return [...operators].sort(([, a], [, b]) => b.ms - a.ms);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Prints the table of one configuration. */
export async function printProfile(options, title) {
  const operators = await profile(options);
  const total = operators.reduce((sum, [, { ms }]) => sum + ms, 0);
  const share = (ms) => `${((100 * ms) / total).toFixed(1)} %`;
  const computing = operators.filter(([name]) => arithmetic.test(name));
  const computed = computing.reduce((sum, [, { ms }]) => sum + ms, 0);
  console.log(`\nProfile of one step, ${title}: ${share(computed)} in convolutions and matrix products\n`);
  console.log('| operator | nodes | ms | share |\n|---|---|---|---|');
  for (const [name, { ms, nodes }] of operators) {
    if (ms > total / 1000) console.log(`| ${name} | ${nodes} | ${ms.toFixed(0)} | ${share(ms)} |`);
  }
}
