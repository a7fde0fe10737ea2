/** Large images in tiles: as near to the full frame as the pair for tiles promises, without seams, in bounded memory. */
import { execFile } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { exportBundle } from '@cyclegan/export';
import { type Pixels, planTiles, type TranslatorOptions } from '@cyclegan/runtime-core';
import { createTranslator } from '@cyclegan/runtime-node';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeRun } from '../../../test/support/make-bundle.ts';
import { temporaryFolder } from './support.ts';

const model = { sizeMultiple: 4, minSize: 8 };

/** Runs a program that prints JSON in a process of its own. */
async function runProgram(program: string, ...args: string[]): Promise<ReturnType<typeof JSON.parse>> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '-e', program, ...args],
    { cwd: import.meta.dirname },
  );
  return JSON.parse(stdout);
}

/** Sky above, texture below, discs across: no part of it is like the whole. */
function landscape(side: number): Pixels {
  const data = new Uint8Array(3 * side * side);
  const discs = [0.2, 0.5, 0.8].map((at) => ({
    x: at * side,
    y: (0.4 + 0.4 * at) * side,
    r: 0.12 * side,
    at,
  }));
  for (let y = 0; y < side; y += 1) {
    for (let x = 0; x < side; x += 1) {
      const wave = Math.sin(x / 11 + y / 29) + Math.sin((x - y) / 7);
      const disc = discs.find((one) => (x - one.x) ** 2 + (y - one.y) ** 2 < one.r ** 2);
      const ground =
        y < 0.4 * side ? [90 + (150 * y) / side, 190, 235] : [80 + 30 * wave, 110 + 50 * wave, 50];
      data.set(disc ? [255 * disc.at, 40, 255 - 200 * disc.at] : ground, 3 * (y * side + x));
    }
  }
  return { width: side, height: side, channels: 3, data };
}

let paired: string;
/** A generator as cheap as they come, without a pair. */
let small: string;
beforeAll(async () => {
  const dir = mkdtempSync(join(tmpdir(), 'cyclegan-tiles-'));
  const { run } = await makeRun({ run: join(dir, 'run'), blocks: 2, seed: 3 });
  paired = join(dir, 'bundle');
  await exportBundle({ source: run, out: paired, direction: 'AtoB', tiles: true });
  const least = await makeRun({ run: join(dir, 'least'), ngf: 1, seed: 3 });
  small = join(dir, 'small');
  await exportBundle({ source: least.run, out: small, direction: 'AtoB' });
  return () => rmSync(dir, { recursive: true, force: true });
});

async function translate(bundle: string, pixels: Pixels, options: TranslatorOptions): Promise<Uint8Array> {
  const translator = await createTranslator(bundle, { device: 'cpu', threads: 2, ...options });
  try {
    const { pixels: output } = await translator.translatePixels({ ...pixels, data: pixels.data.slice() });
    return Uint8Array.from(output.data);
  } finally {
    await translator.dispose();
  }
}

function psnr(one: Uint8Array, other: Uint8Array): number {
  const sum = one.reduce((all, value, i) => all + (value - (other[i] ?? 0)) ** 2, 0);
  return 10 * Math.log10((255 ** 2 * one.length) / sum);
}

/** Three tiles side by side; above all is the same fine texture, and below the middle one it is another. */
const row = { width: 1024, height: 384, tile: 384 };

function unevenRow(): Pixels {
  const { width, height, tile } = row;
  const cores = planTiles(row, model, { tile }).x;
  const [from = 0, to = 0] = [cores.cores[0]?.to, (cores.starts[1] ?? 0) + (cores.cores[1]?.to ?? 0)];
  const data = Uint8Array.from({ length: 3 * width * height }, (_, i) => {
    const [x, y, channel] = [Math.floor(i / 3) % width, Math.floor(i / (3 * width)), i % 3];
    if (y > 224 && x >= from && x < to) return channel === 0 ? 255 : 0;
    return 120 + 24 * (Math.sin((Math.PI * x) / 4 + channel) + Math.sin((Math.PI * (x + y)) / 8));
  });
  return { width, height, channels: 3, data };
}

/**
 * How much the tone of the upper part changes from one side of the seams to the other, over how much it does over as
 * many pixels to both sides of them: the largest of both.
 */
function seamRatio(data: Uint8Array): number {
  const { starts, size } = planTiles(row, model, { tile: row.tile }).x;
  const shared = size - (starts[1] ?? 0);
  const tone = (left: number, channel: number) => {
    let sum = 0;
    for (let y = 0; y < 128; y += 1) {
      for (let x = left; x < left + 16; x += 1) sum += data[3 * (y * row.width + x) + channel] ?? 0;
    }
    return sum / (16 * 128);
  };
  const changes = (lefts: readonly number[]) =>
    lefts.flatMap((left) => [0, 1, 2].map((c) => Math.abs(tone(left + shared, c) - tone(left - 16, c))));
  const seams = starts.slice(1);
  const beside = seams.flatMap((left) => [left - shared - 16, left + shared + 16]);
  return Math.max(...changes(seams)) / Math.max(0.5, ...changes(beside));
}

describe('an image of 2048² in tiles', () => {
  const side = 2048;
  const tile = 512;

  it('is the full frame’s to 38 dB and more; tiles by themselves are not', async () => {
    const pixels = landscape(side);
    const whole = await translate(paired, pixels, { tile: 'none' });
    expect(psnr(await translate(paired, pixels, { tile }), whole)).toBeGreaterThan(40);
    expect(psnr(await alonePixels(pixels, tile), whole)).toBeLessThan(30);
  }, 60_000);
});

describe('seams', () => {
  it('show where tiles are normalised by themselves, and not by shared statistics', async () => {
    const pixels = unevenRow();
    expect(seamRatio(await translate(paired, pixels, { tile: 'none' }))).toBeLessThan(1);
    expect(seamRatio(await translate(paired, pixels, { tile: row.tile }))).toBeLessThan(1);
    expect(seamRatio(await alonePixels(pixels, row.tile))).toBeGreaterThan(4);
  }, 60_000);
});

/** The same model without its pair, so that each tile is normalised by itself. */
async function alonePixels(pixels: Pixels, tile: number): Promise<Uint8Array> {
  const folder = temporaryFolder();
  const manifest = JSON.parse(readFileSync(join(paired, 'manifest.json'), 'utf8'));
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ ...manifest, variants: [] }));
  for (const { file } of manifest.models) copyFileSync(join(paired, file), join(folder, file));
  return translate(folder, pixels, { tile });
}

describe('a hundred megapixels', () => {
  it('take no more memory than their bytes and one row of tiles', async () => {
    const program = `
      import { createTranslator } from '@cyclegan/runtime-node';
      const [bundle] = process.argv.slice(1);
      const translator = await createTranslator(bundle, { device: 'cpu', threads: 2, memory: 512 * 2 ** 20 });
      const picture = (width, height) => {
        const data = new Uint8Array(3 * width * height);
        for (let i = 0; i < data.length; i += 1) data[i] = i >> 7;
        return { width, height, channels: 3, data };
      };
      await translator.translatePixels(picture(2000, 2000));
      const before = process.resourceUsage().maxRSS * 1024;
      const { pixels } = await translator.translatePixels(picture(10_000, 10_000));
      const grown = process.resourceUsage().maxRSS * 1024 - before;
      await translator.dispose();
      console.log(JSON.stringify({ grown, size: [pixels.width, pixels.height], values: new Set(pixels.data.subarray(-3e5)).size }));`;
    const { grown, size, values } = await runProgram(program, small);
    expect(size).toEqual([10_000, 10_000]);
    expect(values).toBeGreaterThan(4);
    // The image and its answer are 300 MB each; as float32 each would be 1.2 GB.
    expect(grown).toBeLessThan(1_100e6);
  }, 120_000);
});
