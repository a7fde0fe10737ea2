/**
 * How long a full-size .pth takes to become ONNX bytes, and how much memory beyond that of a Node which has loaded the
 * same packages; beside PyTorch's own torch.load of the file. Each round is a fresh process on both sides, turn by turn.
 *
 *     node bench/import.mjs [FILE.pth] [--rounds 5]
 *
 * Without a file, Python with torch makes one: resnet, 9 blocks, ngf 64. Linux alone, whose kernel keeps the peak.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '5' }, child: { type: 'boolean', default: false } },
});
const here = fileURLToPath(import.meta.url);
const python = process.env.PYTHON ?? (existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3');
const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const MB = 2 ** 20;

/** The most memory that this process ever had, in bytes. */
const peak = () => 1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]);

async function measureHere(file) {
  const { importPyTorch } = await import('@cyclegan/export');
  const { writeOnnx } = await import('@cyclegan/graph');
  const before = process.memoryUsage().rss;
  const started = performance.now();
  const { graph } = await importPyTorch(file);
  const onnx = writeOnnx(graph);
  const ms = performance.now() - started;
  console.log(JSON.stringify({ ms, bytes: peak() - before, onnx: onnx.length }));
}

const LOAD = `
import sys, time, torch
started = time.perf_counter()
torch.load(sys.argv[1], map_location="cpu")
print(1000 * (time.perf_counter() - started), torch.__version__)
`;

function measurePeer(file) {
  const [ms, version] = execFileSync(python, ['-c', LOAD, file], { encoding: 'utf8' }).trim().split(' ');
  return { ms: Number(ms), version };
}

/** The whole command: it also runs the source and the result, and writes the bundle. */
function measureCommand(file, folder) {
  const command = fileURLToPath(new URL('../packages/cli/bin/cyclegan.js', import.meta.url));
  const started = performance.now();
  const out = join(folder, 'bundle');
  execFileSync(process.execPath, [command, 'export', file, '--out', out, '--direction', 'AtoB'], {
    stdio: 'ignore',
  });
  return performance.now() - started;
}

function makeFile(path) {
  const script = fileURLToPath(new URL('../test/oracles/make_pytorch_fixtures.py', import.meta.url));
  execFileSync(python, [script, '--large', path], {
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
  });
}

function compare(file, rounds, folder) {
  const [ours, commands, peers] = [[], [], []];
  for (let round = 0; round < rounds; round++) {
    ours.push(JSON.parse(execFileSync(process.execPath, [here, '--child', file], { encoding: 'utf8' })));
    commands.push(measureCommand(file, folder));
    try {
      peers.push(measurePeer(file));
    } catch {
      console.error(`left out: torch.load, since ${python} has no torch`);
    }
  }
  const size = statSync(file).size;
  const ms = median(ours.map(({ ms }) => ms));
  const bytes = median(ours.map(({ bytes }) => bytes));
  console.log(
    `${(size / MB).toFixed(1)} MB in the file, ${(ours[0].onnx / MB).toFixed(1)} MB of ONNX; medians of ${rounds}\n`,
  );
  console.log('| | ms | memory, MB | of the file |');
  console.log('|---|---|---|---|');
  console.log(
    `| importPyTorch + writeOnnx | ${ms.toFixed(0)} | ${(bytes / MB).toFixed(0)} | ${(bytes / size).toFixed(2)}× |`,
  );
  console.log(`| cyclegan export, the whole command | ${median(commands).toFixed(0)} | | |`);
  if (peers.length === 0) return;
  const load = median(peers.map(({ ms }) => ms));
  console.log(`| torch.load, PyTorch ${peers[0].version} | ${load.toFixed(0)} | | |`);
  const ratio = median(ours.map(({ ms }, round) => ms / (peers[round]?.ms ?? Number.NaN)));
  console.log(`\n${ratio.toFixed(2)} times as long as torch.load, which writes no ONNX.`);
}

if (values.child) {
  await measureHere(positionals[0]);
} else {
  const folder = mkdtempSync(join(tmpdir(), 'cyclegan-import-'));
  try {
    const file = positionals[0] ?? join(folder, 'latest_net_G_A.pth');
    if (!positionals[0]) makeFile(file);
    compare(file, Number(values.rounds), folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
