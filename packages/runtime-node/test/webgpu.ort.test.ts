/**
 * WebGPU in Node, on Chromium's software adapter where there is no GPU. In a process of its own: the Vulkan loader
 * reads its environment when a process starts, and a provider that crashes takes its process along.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { tinyBundle } from './support.ts';

/** Where Debian's chromium keeps its Vulkan loader and its software driver. */
const chromium = '/usr/lib/chromium';
const driver = `${chromium}/vk_swiftshader_icd.json`;
const env = { ...process.env, LD_LIBRARY_PATH: chromium, VK_ICD_FILENAMES: driver };

/** Two translators at once: with a worker for each this process would crash. */
const program = `
  import { createTranslator, probeDevices } from '@cyclegan/runtime-node';
  import sharp from 'sharp';
  const pixels = Buffer.from(Array.from({ length: 3 * 24 * 20 }, (_, i) => (i * 7) % 256));
  const image = () => sharp(pixels, { raw: { width: 24, height: 20, channels: 3 } });
  let workers = 0;
  process.on('worker', () => { workers += 1; });
  const open = (direction, device) => createTranslator(process.argv[1], { direction, device });
  const translators = await Promise.all(['AtoB', 'BtoA'].map((direction) => open(direction, 'webgpu')));
  const shared = workers;
  const answers = await Promise.all([0, 1, 0, 1].map((i) => translators[i].translate(image())));
  const raw = await Promise.all(answers.map((answer) => answer.raw().toBuffer()));
  await Promise.all(translators.map((translator) => translator.dispose()));
  const cpu = await open('AtoB', 'cpu');
  const expected = await (await cpu.translate(image())).raw().toBuffer();
  await cpu.dispose();
  const { devices } = await probeDevices();
  console.log(JSON.stringify({
    shared,
    infos: translators.map(({ info }) => ({ device: info.device, error: info.selfCheckError })),
    same: raw[0].equals(raw[2]) && raw[1].equals(raw[3]) && !raw[0].equals(raw[1]),
    off: expected.reduce((worst, value, i) => Math.max(worst, Math.abs(value - raw[0][i])), 0),
    probe: devices.find(({ device }) => device === 'webgpu'),
  }));`;

describe.skipIf(!existsSync(driver) || process.arch !== 'x64')(
  `WebGPU on a software adapter (needs ${driver})`,
  () => {
    it('translates as the CPU does, two translators at a time', async () => {
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ['--input-type=module', '-e', program, tinyBundle],
        { cwd: import.meta.dirname, env },
      );
      const { shared, infos, same, off, probe } = JSON.parse(stdout);
      expect(shared).toBe(1);
      expect(infos).toEqual([
        { device: 'webgpu', error: expect.closeTo(0, 2) },
        { device: 'webgpu', error: expect.closeTo(0, 2) },
      ]);
      expect(same).toBe(true);
      expect(off).toBeLessThanOrEqual(1);
      expect(probe).toMatchObject({ listed: true, works: true });
    });
  },
);
