/** What `cyclegan doctor` says: of the machine, of training, of what is missing with the command that adds it, of a bundle. */
import { appendFileSync, cpSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deviceAbsence } from '@cyclegan/train';
import { expect, onTestFinished, test, vi } from 'vitest';
import { cli, lastJson, temporaryFolder } from './support/run-cli.ts';

const bundle = fileURLToPath(new URL('../../../test/fixtures/tiny-bundle', import.meta.url));

/** The lines of one section. */
function section(stdout: string, title: string): string[] {
  const paragraph = stdout.split('\n\n').find((each) => each.startsWith(`${title}\n`));
  return paragraph?.split('\n').slice(1) ?? [];
}

function lineOf(stdout: string, title: string, what: string): string {
  return section(stdout, title).find((line) => line.slice(4).startsWith(what)) ?? '';
}

test('names versions, limits and devices, and prints nothing of what drivers say', async () => {
  const { code, stdout, stderr } = await cli(['doctor']);
  expect(code).toBe(0);
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^cyclegan \S+, node \d\S+\n\nmachine\n/);
  for (const what of ['system', 'processor', 'memory', 'temporary files']) {
    expect(lineOf(stdout, 'machine', what)).toMatch(/^ {2}[✓✗] /);
  }
  for (const device of ['tensorrt', 'cuda', 'webgpu', 'cpu']) {
    expect(lineOf(stdout, 'translating', device)).toMatch(/^ {2}[✓✗–] \w+ {2,}\S/);
  }
  expect(lineOf(stdout, 'translating', 'cpu')).toMatch(/✓ .*works, a session in \d+ ms/);
  expect(lineOf(stdout, 'server and fleet', 'fleet')).toContain('✓');
  expect(stdout).toMatch(/\n(no problem|\d+ problems? \(✗\))/);
}, 300_000);

test('names the devices for training, and what adds CUDA where its files are missing', async () => {
  const { code, stdout } = await cli(['doctor', '--json']);
  expect(code).toBe(0);
  const report = lastJson(stdout);
  expect(report).toMatchObject({
    ok: true,
    versions: { node: process.versions.node, onnxruntime: expect.stringMatching(/^1\./) },
    devices: expect.arrayContaining([expect.objectContaining({ device: 'cpu', works: true })]),
    training: { device: expect.stringMatching(/^(cpu|cuda|webgpu)$/), tried: expect.any(Array) },
  });
  const { sections } = report as {
    sections: { title: string; findings: { what: string; detail: string; fix?: string }[] }[];
  };
  const training = sections.find(({ title }) => title === 'training')?.findings ?? [];
  for (const device of ['cuda', 'webgpu', 'cpu'] as const) {
    const absent = deviceAbsence(device);
    const found = training.find(({ what }) => what === device);
    expect(found?.detail).toMatch(absent ? /\S/ : /^works/);
    if (absent) expect(found?.detail).toContain(absent.reason);
  }
  const fix = training.find(({ what }) => what === 'cuda')?.fix;
  if (process.platform === 'linux' && process.arch === 'x64' && deviceAbsence('cuda')) {
    expect(fix).toMatch(/^ONNXRUNTIME_NODE_INSTALL=cuda12 node \S+install\.js$/);
  } else {
    expect(fix).toBeUndefined();
  }
}, 300_000);

test('says what is wrong around it, with one command each, and ends well while images can be translated', async () => {
  vi.stubEnv('FFMPEG_PATH', '/nowhere/ffmpeg');
  vi.stubEnv('TMPDIR', '/nowhere');
  onTestFinished(() => void vi.unstubAllEnvs());
  const { code, stdout } = await cli(['doctor', bundle, '--redis', 'redis://127.0.0.1:1']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/– ffmpeg .*none that runs as \/nowhere\/ffmpeg.*\n {6}\S.*install ffmpeg\n/);
  expect(stdout).toMatch(/✗ temporary files +\/nowhere cannot be written.*\n {6}export TMPDIR=/);
  expect(stdout).toMatch(/✗ redis .*ECONNREFUSED.*\n {6}redis-server /);
  expect(stdout).toMatch(/\n\d problems \(✗\)/);
}, 300_000);

test("checks a bundle's files, its pair for tiles, and its directions on each device", async () => {
  const { code, stdout } = await cli(['doctor', bundle]);
  expect(code).toBe(0);
  const title = `bundle ${bundle}`;
  expect(lineOf(stdout, title, 'manifest')).toMatch(/✓ .*tiny, made by make-tiny-bundle\.py 1/);
  expect(lineOf(stdout, title, 'files')).toMatch(/✓ .*2 with the manifest's sizes and hashes/);
  expect(lineOf(stdout, title, 'pair for tiles')).toMatch(/– .*not for AtoB fp32, BtoA fp32/);
  for (const direction of ['AtoB', 'BtoA']) {
    expect(lineOf(stdout, title, `${direction} on cpu`)).toMatch(/✓ .*fp32, off by \d.* in the self-check/);
  }
}, 300_000);

test('ends with 1 for a bundle that cannot run, and says why', async () => {
  const folder = join(temporaryFolder(), 'bundle');
  cpSync(bundle, folder, { recursive: true });
  appendFileSync(join(folder, 'BtoA.fp32.onnx'), 'x');
  const damaged = await cli(['doctor', folder]);
  expect(damaged.code).toBe(1);
  expect(lineOf(damaged.stdout, `bundle ${folder}`, 'files')).toMatch(
    /✗ .*BtoA\.fp32\.onnx: expected \d+ bytes/,
  );
  const none = await cli(['doctor', temporaryFolder()]);
  expect(none.code).toBe(1);
  expect(none.stdout).toMatch(/✗ manifest .*ENOENT/);
}, 300_000);
