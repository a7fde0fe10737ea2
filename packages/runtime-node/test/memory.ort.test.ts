/** The estimate of a run's memory, which decides what is tiled, against the peak of a process that really runs it. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { toFixedSize } from '@cyclegan/export';
import { peakBytes, readOnnx } from '@cyclegan/graph';
import { runBytes } from '@cyclegan/runtime-core';
import { expect, it } from 'vitest';
import { tinyBundle } from './support.ts';

const SIDE = 1536;

/** In a process of its own: the peak that the largest run adds to that of a small one. */
const program = `
import { createTranslator } from '@cyclegan/runtime-node';
const translator = await createTranslator(${JSON.stringify(tinyBundle)}, { device: 'cpu', threads: 1, tile: 'none' });
const pixels = (side) => ({ width: side, height: side, channels: 3, data: new Uint8Array(3 * side * side) });
await translator.translatePixels(pixels(64));
const before = process.resourceUsage().maxRSS;
await translator.translatePixels(pixels(${SIDE}));
console.log((process.resourceUsage().maxRSS - before) * 1024);
await translator.dispose();
`;

it('holds for a real session, from above and not by much', () => {
  const { graph } = readOnnx(readFileSync(join(tinyBundle, 'AtoB.fp32.onnx')));
  const bytesPerPixel = peakBytes(toFixedSize(graph, { width: 512, height: 512 })) / 512 ** 2;
  const estimate = runBytes(SIDE ** 2, { memory: { bytesPerPixel } });
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
  });
  const measured = Number(output);
  expect(measured).toBeLessThan(1.2 * estimate);
  expect(measured).toBeGreaterThan(0.4 * estimate);
});
