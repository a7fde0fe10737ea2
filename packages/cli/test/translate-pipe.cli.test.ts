/** `cyclegan translate` in a pipe: one image's bytes on stdout and nothing else. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { program, temporaryFolder } from './support/run-cli.ts';

const bundle = fileURLToPath(new URL('../../../test/fixtures/tiny-bundle', import.meta.url));
const create = { width: 40, height: 24, channels: 3, background: 'teal' } as const;

async function pipe(args: readonly string[], input: Uint8Array) {
  const child = spawn(process.execPath, [program, 'translate', bundle, ...args, '--device', 'cpu']);
  const stdout: Uint8Array[] = [];
  let stderr = '';
  child.stdout.on('data', (chunk: Uint8Array) => stdout.push(chunk));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // A program that ends before it has read all is not this test's matter.
  child.stdin.on('error', () => undefined).end(input);
  const code = await new Promise((resolve) => child.once('close', resolve));
  return { code, stdout: Buffer.concat(stdout), stderr };
}

test('stdin to stdout, in the format of the input or another', async () => {
  const jpeg = await sharp({ create }).jpeg().toBuffer();
  for (const [options, format] of [
    [[], 'jpeg'],
    [['--format', 'webp'], 'webp'],
  ] as const) {
    const { code, stdout, stderr } = await pipe(['-', '--out', '-', ...options], jpeg);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^AtoB fp32 on cpu/);
    expect(await sharp(stdout).metadata()).toMatchObject({ format, width: 40, height: 24 });
    expect((await sharp(stdout).stats()).channels).toHaveLength(3);
  }
});

test('a file to stdout, larger than a pipe holds', async () => {
  const noise = { type: 'gaussian', mean: 128, sigma: 40 } as const;
  const path = join(temporaryFolder(), 'in.png');
  await sharp({ create: { ...create, width: 500, height: 400, noise } }).toFile(path);
  const { code, stdout } = await pipe([path, '--out', '-'], Buffer.alloc(0));
  expect(code).toBe(0);
  expect(stdout.length).toBeGreaterThan(100_000);
  expect(await sharp(stdout).metadata()).toMatchObject({ format: 'png', width: 500, height: 400 });
});

test('what is no image is one sentence, 1, and nothing on stdout', async () => {
  for (const nothing of ['', 'no image']) {
    const { code, stdout, stderr } = await pipe(['-', '--out', '-'], Buffer.from(nothing));
    expect({ code, stdout: stdout.length }).toEqual({ code: 1, stdout: 0 });
    expect(stderr).toMatch(/^\[image\] [^\n]*expected [^\n]*\n$/m);
  }
});

test('what cannot go through a pipe is refused with 2', async () => {
  const folder = temporaryFolder();
  for (const [args, message] of [
    [['-', '--out', '-', '--json'], 'expected --json or --out -, got both'],
    [['-', '--out', '-', '--resume'], 'expected --resume or --out -, got both'],
    [['-', '--out', '-', '--dry-run'], 'expected --dry-run or --out -, got both'],
    [['-', '-', '--out', '-'], 'expected one image for --out -, got 2'],
    [['-', '--out', folder], 'expected --out - for an image from stdin, got a folder or a ZIP'],
    [['a.png', '--out', '-', '--zip', join(folder, 'a.zip')], 'expected --out or --zip, got both'],
  ] as const) {
    const { code, stdout, stderr } = await pipe(args, Buffer.alloc(0));
    expect(stderr).toContain(message);
    expect({ code, lines: stderr.trimEnd().split('\n').length }).toEqual({ code: 2, lines: 1 });
    expect(stdout.toString()).toMatch(/^($|\{"error")/);
  }
  expect(readdirSync(folder)).toEqual([]);
  expect(existsSync('-')).toBe(false);
});
