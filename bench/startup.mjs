/**
 * How soon `cyclegan --help` answers, and how soon `cyclegan translate` has done its first image, over the time in
 * which onnxruntime loads and checks the model; beside a Node that does nothing. Each a process of its own, turn by
 * turn, timed from its start to its end.
 *
 *     node bench/startup.mjs [BUNDLE] [--rounds 9] [--size 256]
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import sharp from 'sharp';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '9' }, size: { type: 'string', default: '256' } },
});
const local = (path) => fileURLToPath(new URL(path, import.meta.url));
const cli = local('../packages/cli/bin/cyclegan.js');
const [bundle = local('../test/fixtures/tiny-bundle')] = positionals;
const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

function time(args) {
  const started = performance.now();
  const stdout = execFileSync(process.execPath, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return { ms: performance.now() - started, stdout };
}

const folder = mkdtempSync(join(tmpdir(), 'cyclegan-bench-'));
try {
  const side = Number(values.size);
  const image = join(folder, 'image.jpg');
  await sharp({ create: { width: side, height: side, channels: 3, background: 'teal' } }).toFile(image);
  const out = join(folder, 'out');
  const translate = [cli, 'translate', bundle, image, '--out', out, '--device', 'cpu', '--json'];
  const times = { nothing: [], help: [], translate: [], load: [], over: [] };
  for (let round = 0; round < Number(values.rounds); round++) {
    times.nothing.push(time(['-e', '0']).ms);
    times.help.push(time([cli, '--help']).ms);
    const { ms, stdout } = time(translate);
    const { loadMs } = JSON.parse(stdout);
    times.translate.push(ms);
    times.load.push(loadMs);
    times.over.push(ms - loadMs);
  }
  const rows = [
    ['node -e 0', times.nothing],
    ['cyclegan --help', times.help],
    [`cyclegan translate, one image of ${side}x${side}`, times.translate],
    ['… of it the session: loading and self-check', times.load],
    ['… over the session', times.over],
  ];
  console.log('| command | ms, median |');
  console.log('|---|---|');
  for (const [name, all] of rows) console.log(`| ${name} | ${median(all).toFixed(0)} |`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
