// Translations against answers: what doing nothing, doing half and doing all of it score.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, expect, it } from 'vitest';
import { measureDirection } from '../dist/index.js';

const root = mkdtempSync(join(tmpdir(), 'cyclegan-measure-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function folder(name: string, greys: Record<string, number>): Promise<string> {
  const path = join(root, name);
  mkdirSync(path);
  for (const [icon, grey] of Object.entries(greys)) {
    const background = { r: grey, g: grey, b: grey };
    const image = sharp({ create: { width: 16, height: 16, channels: 3, background } });
    await image.toFile(join(path, `${icon}.png`));
  }
  return path;
}

it('measures each translation, and the input, against the answer of the same name', async () => {
  const inputs = await folder('inputs', { whole: 255, half: 255 });
  const outputs = await folder('outputs', { whole: 0, half: 51 });
  const answers = await folder('answers', { whole: 0, half: 0 });
  const { from, to, results } = await measureDirection({
    from: 'white',
    to: 'black',
    inputs,
    outputs,
    answers,
    size: 16,
  });
  expect([from, to]).toEqual(['white', 'black']);
  expect(results.map(({ name }) => name)).toEqual(['half', 'whole']);
  const [half, whole] = results;
  expect(half?.baseline.l1).toBeCloseTo(2, 6);
  expect(half?.metrics.l1).toBeCloseTo(0.4, 6);
  expect(half?.metrics.psnr).toBeCloseTo(20 * Math.log10(5), 5);
  expect(whole?.metrics).toEqual({
    l1: 0,
    psnr: Infinity,
    ssim: 1,
    structure: expect.closeTo(1, 12),
  });
  expect(whole?.output).toBe(join(outputs, 'whole.png'));

  rmSync(join(outputs, 'half.png'));
  const incomplete = measureDirection({ from: 'white', to: 'black', inputs, outputs, answers, size: 16 });
  await expect(incomplete).rejects.toMatchObject({
    code: 'input',
    message: expect.stringMatching(/half\.png/),
  });
});
