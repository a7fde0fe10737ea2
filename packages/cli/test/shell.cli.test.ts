/** What shells do to programs: stop reading, close the terminal, leave arguments empty. */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { cli, program, temporaryFolder } from './support/run-cli.ts';

async function imagesIn(folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const create = { width: 32, height: 32, channels: 3, background: 'teal' } as const;
  for (const name of ['0.png', '1.png']) await sharp({ create }).toFile(join(folder, name));
  return folder;
}

async function trainArguments(folder: string): Promise<string[]> {
  const [a, b] = [await imagesIn(join(folder, 'a')), await imagesIn(join(folder, 'b'))];
  return [
    'train',
    '--a',
    a,
    '--b',
    b,
    '--size',
    '32',
    '--ngf',
    '4',
    '--blocks',
    '1',
    '--out',
    join(folder, 'run'),
  ];
}

test('training goes on when nobody reads what it says', async () => {
  const folder = temporaryFolder();
  const child = spawn(process.execPath, [program, ...(await trainArguments(folder)), '--steps', '5'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.destroy();
  child.stderr.destroy();
  const code = await new Promise((resolve) => child.once('exit', resolve));
  expect(code).toBe(0);
  expect(readFileSync(join(folder, 'run', 'checkpoints', 'latest'), 'utf8').trim()).toBe('5');
});

test('a terminal that is closed is a request to stop and save', async () => {
  const folder = temporaryFolder();
  let asked = false;
  const { code, stdout } = await cli([...(await trainArguments(folder)), '--steps', '100000'], {
    onStderr(text, child) {
      if (asked || !/^train \d+\//m.test(text)) return;
      asked = true;
      child.kill('SIGHUP');
    },
  });
  expect(code).toBe(130);
  const latest = readFileSync(join(folder, 'run', 'checkpoints', 'latest'), 'utf8').trim();
  expect(Number(latest)).toBeGreaterThan(0);
  expect(stdout).toContain(`step ${latest} of 100000`);
});

test('an empty path is a slip', async () => {
  const folder = temporaryFolder();
  const { code, stderr } = await cli([...(await trainArguments(folder)), '--out', '']);
  expect(code).toBe(2);
  expect(stderr).toMatch(/^\[cyclegan\] [^\n]*--out[^\n]*\n$/);
});

test('the demo leaves a folder that is not its own alone', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'run'));
  writeFileSync(join(folder, 'run', 'mine.txt'), 'mine');
  const { code, stderr } = await cli(['demo', '--out', folder, '--steps', '1']);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^\[demo\] [^\n]*Choose another --out\.\n$/);
  expect(readFileSync(join(folder, 'run', 'mine.txt'), 'utf8')).toBe('mine');
});
