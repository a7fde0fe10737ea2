/** The report on this machine. */
import { probeDevices } from '@cyclegan/runtime-node';
import { expect, it } from 'vitest';

it('opens a session on each device, and has a reason where it cannot', async () => {
  const report = await probeDevices();
  expect(report.onnxruntime).toMatch(/^1\.\d+\.\d+$/);
  expect(report.cores).toBeGreaterThanOrEqual(1);
  expect(report.sharp.reads).toEqual(expect.arrayContaining(['jpeg', 'png', 'webp', 'tiff']));
  expect(report.devices.map(({ device }) => device)).toEqual(['tensorrt', 'cuda', 'webgpu', 'cpu']);
  const cpu = report.devices.find(({ device }) => device === 'cpu');
  expect(cpu).toMatchObject({ listed: true, works: true, auto: true, loadMs: expect.any(Number) });
  for (const { works, reason } of report.devices) {
    if (!works) expect(reason).toMatch(/\w/);
  }
});
