/** `cyclegan translate` and `cyclegan doctor` as a shell sees them: where words go, exit codes, errors, Ctrl-C. */
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { cli, lastJson, temporaryFolder } from './support/run-cli.ts';

const bundle = fileURLToPath(new URL('../../../test/fixtures/tiny-bundle', import.meta.url));

async function folderOfImages(count: number, side: number): Promise<{ images: string; out: string }> {
  const folder = temporaryFolder();
  const create = { width: side, height: side, channels: 3, background: 'teal' } as const;
  for (let i = 0; i < count; i += 1) await sharp({ create }).toFile(join(folder, `${i}.png`));
  return { images: folder, out: join(folder, 'out') };
}

test('translates; progress and facts on stderr, the result on stdout', async () => {
  const { images, out } = await folderOfImages(2, 24);
  const { code, stdout, stderr } = await cli(['translate', bundle, images, '--out', out, '--device', 'cpu']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^2 translated to .*out in [\d.]+ s\n$/);
  expect(stderr).toMatch(/^AtoB fp32 on cpu, \d+ threads\n/);
  expect(stderr).toMatch(/translate [12]\/2 /);
  expect(readdirSync(out).sort()).toEqual(['0.png', '1.png']);
});

test('takes several inputs, and of an option given twice the last', async () => {
  const { images, out } = await folderOfImages(2, 24);
  const other = await folderOfImages(1, 16);
  const inputs = [join(images, '1.png'), join(images, '0.png'), other.images];
  const { code, stdout } = await cli(['translate', bundle, ...inputs, '--out', other.out, '--out', out]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^3 translated/);
  expect(readdirSync(out).sort()).toEqual(['0-2.png', '0.png', '1.png']);
  expect(existsSync(other.out)).toBe(false);
});

test('--json: one object, with what failed, and then exit code 1', async () => {
  const { images, out } = await folderOfImages(1, 24);
  const broken = join(images, 'broken.jpg');
  writeFileSync(broken, 'no picture');
  const { code, stdout, stderr } = await cli([
    'translate',
    bundle,
    images,
    '--out',
    out,
    '--device',
    'cpu',
    '--json',
  ]);
  expect(code).toBe(1);
  expect(stdout.trimEnd().split('\n')).toHaveLength(1);
  expect(lastJson(stdout)).toMatchObject({
    out,
    direction: 'AtoB',
    precision: 'fp32',
    device: 'cpu',
    translated: [{ file: join(images, '0.png'), output: join(out, '0.png') }],
    failed: [{ file: broken, message: expect.stringContaining('broken.jpg') }],
  });
  expect(stderr).toMatch(/^warning: .*broken\.jpg/m);
});

test('a failure is one sentence and 1; the stack comes with --debug, the code with --json', async () => {
  const out = join(temporaryFolder(), 'out');
  const nothing = ['translate', join(out, 'none'), 'in.png', '--out', out];
  const plain = await cli(nothing);
  expect(plain).toMatchObject({ code: 1, stdout: '' });
  expect(plain.stderr).toMatch(/^\[[a-z]+\] [^\n]*expected [^\n]*got [^\n]*\n$/);
  expect(existsSync(out)).toBe(false);
  const debug = await cli([...nothing, '--debug', '--json']);
  expect(debug.code).toBe(1);
  expect(debug.stderr).toMatch(/^ {4}at /m);
  expect(lastJson(debug.stdout)).toEqual({ error: { code: 'bundle', message: plain.stderr.trimEnd() } });
});

test('Ctrl-C: what is done stays, nothing is half written, and the code is 130', async () => {
  const { images, out } = await folderOfImages(60, 700);
  let asked = false;
  const { code, stdout, stderr } = await cli(['translate', bundle, images, '--out', out, '--device', 'cpu'], {
    onStderr(text, child) {
      if (!asked && text.includes('translate ')) asked = child.kill('SIGINT');
    },
  });
  expect(stderr).toContain('Press Ctrl-C again');
  expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
  const written = readdirSync(out);
  expect(written.length).toBeLessThan(60);
  for (const name of written) expect((await sharp(join(out, name)).stats()).channels).toHaveLength(3);
});

test('doctor names versions and devices, and that the CPU works', async () => {
  const { code, stdout } = await cli(['doctor']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^cyclegan \S+, node \S+, onnxruntime \d\S+, sharp \d\S+\n/);
  expect(stdout).toMatch(/^ {2}cpu +works/m);
  expect(stdout).toMatch(/^graphics adapters: \S/m);
  const json = await cli(['doctor', '--json']);
  expect(lastJson(json.stdout)).toMatchObject({
    ok: true,
    cores: expect.any(Number),
    adapters: expect.any(Array),
    versions: { node: process.versions.node },
    devices: expect.arrayContaining([expect.objectContaining({ device: 'cpu', works: true })]),
    missing: expect.any(Array),
  });
});
