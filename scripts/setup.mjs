// The one way a fresh clone becomes runnable: pnpm at the pinned version, packages from the lock file, a build.
// With --tests also a browser (and, on Debian as root, the Python oracles). Plain Node, no dependencies:
// it runs before anything is installed.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const windows = process.platform === 'win32';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`[setup] Node: expected 20.19 or newer, got ${process.versions.node}. Install a newer Node.`);
  process.exit(1);
}

/** Runs a command in the root with its output shown. @returns whether it succeeded */
function attempt(what, command, args) {
  console.error(`[setup] ${what}`);
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    // Results belong on stdout, and set-up has none: its chatter goes to stderr.
    stdio: ['ignore', 2, 2],
    shell: windows,
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' },
  });
  const done = !error && status === 0;
  if (!done) console.error(`[setup] ${what} failed: ${error?.message ?? `exit status ${status}`}.`);
  return done;
}

/** As {@link attempt}, for what nothing works without. */
function run(what, command, args) {
  if (!attempt(what, command, args)) process.exit(1);
}

const pnpm = ['--yes', packageManager];
run(`install (${packageManager}, from the lock file)`, 'npx', [
  ...pnpm,
  'install',
  '--frozen-lockfile',
  '--prefer-offline',
  '--reporter=append-only',
  '--loglevel=warn',
]);
run('build', 'npx', [...pnpm, 'run', 'build']);
if (process.argv.includes('--tests')) {
  const { prepareTests } = await import('./test-tools.mjs');
  prepareTests(attempt);
}
