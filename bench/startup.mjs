/**
 * How soon `cyclegan --help` answers, beside a Node that does nothing; each a process of its own, turn by turn.
 *
 *     node bench/startup.mjs [--rounds 9]
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '9' } } });
const cli = fileURLToPath(new URL('../packages/cli/bin/cyclegan.js', import.meta.url));
const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

function time(args) {
  const started = performance.now();
  execFileSync(process.execPath, args, { stdio: 'ignore' });
  return performance.now() - started;
}

const times = { help: [], nothing: [] };
for (let round = 0; round < Number(values.rounds); round++) {
  times.help.push(time([cli, '--help']));
  times.nothing.push(time(['-e', '0']));
}
console.log('| command | ms, median |');
console.log('|---|---|');
console.log(`| cyclegan --help | ${median(times.help).toFixed(0)} |`);
console.log(`| node -e 0 | ${median(times.nothing).toFixed(0)} |`);
