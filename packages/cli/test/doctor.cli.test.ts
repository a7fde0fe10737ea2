/** What `cyclegan doctor` says of training: each device with what works or why not, and the one to begin with. */
import { deviceAbsence } from '@cyclegan/train';
import { expect, test } from 'vitest';
import { cli, lastJson } from './support/run-cli.ts';

test('doctor names the devices for training, and what adds CUDA where its files are missing', async () => {
  const { code, stdout } = await cli(['doctor']);
  expect(code).toBe(0);
  const [, training = ''] = stdout.split('\ntraining\n');
  for (const device of ['cuda', 'webgpu', 'cpu'] as const) {
    const absent = deviceAbsence(device);
    const line = training.split('\n').find((each) => each.startsWith(`  ${device} `)) ?? '';
    expect(line).toMatch(absent ? /^ {2}\w+ +no: / : /^ {2}\w+ +(works|no): /);
    if (absent) expect(line).toContain(absent.reason);
  }
  expect(training).toMatch(/ {2}--device auto times .* begin with (cpu|cuda|webgpu)\n/);
  const json = await cli(['doctor', '--json']);
  expect(lastJson(json.stdout)).toMatchObject({
    training: { device: expect.stringMatching(/^(cpu|cuda|webgpu)$/), tried: expect.any(Array) },
  });
  if (process.platform === 'linux' && process.arch === 'x64' && deviceAbsence('cuda')) {
    expect(stdout).toMatch(/^ {4}ONNXRUNTIME_NODE_INSTALL=cuda12 node \S+install\.js$/m);
  } else {
    expect(stdout).not.toContain('ONNXRUNTIME_NODE_INSTALL');
  }
}, 300_000);
