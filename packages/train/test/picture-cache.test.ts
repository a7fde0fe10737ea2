// The cache of decoded pictures: it is read instead of the originals, and never instead of what it is not.
import { cpSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { createDataSource, type DataSourceOptions, openImageSet, planCache } from '../dist/data/index.js';
import { at } from './pixels.js';
import { gradient, gradientFolder, temporaryFolder, writeImage } from './temp-folder.js';

const root = temporaryFolder();
let folders = 0;

/** Four images and an empty place for a cache. */
async function begin() {
  const base = join(root, String(folders++));
  const path = await gradientFolder(join(base, 'images'), 4, 10);
  return { path, cache: join(base, 'cache') };
}

/** An epoch's batches of images against themselves, none of which memory keeps; and what was warned of. */
async function epoch(path: string, cache: string | undefined, options: Partial<DataSourceOptions> = {}) {
  const set = await openImageSet({ path, domain: 'A' });
  const warnings: string[] = [];
  const from = createDataSource({
    a: set,
    b: set,
    height: 32,
    width: 32,
    loadSize: 48,
    batch: 1,
    seed: 1,
    pairing: 'serial',
    cacheBytes: 0,
    prefetch: 0,
    cache,
    onWarning: (message) => warnings.push(message),
    ...options,
  });
  const run = async () => {
    const batches = [];
    for (let step = 0; step < from.stepsPerEpoch; step++) batches.push(await from.batch(step));
    return batches;
  };
  return { set, batches: await run(), run, warnings };
}

const files = (cache: string) =>
  readdirSync(cache, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.pixels'))
    .map((file) => join(cache, file))
    .sort();

describe('cache', () => {
  it('gives the same batches as decoding, writes each picture once, and is read from then on', async () => {
    const { path, cache } = await begin();
    const plain = await epoch(path, undefined);
    const first = await epoch(path, cache);
    expect(first.batches).toEqual(plain.batches);
    expect(files(cache)).toHaveLength(4);
    const written = files(cache).map((file) => statSync(file).mtimeMs);
    expect(await first.run()).toEqual(plain.batches);
    expect((await epoch(path, cache)).batches).toEqual(plain.batches);
    expect(files(cache).map((file) => statSync(file).mtimeMs)).toEqual(written);
  });

  it('once complete lets a run go on without its images', async () => {
    const { path, cache } = await begin();
    const { run, batches, warnings } = await epoch(path, cache);
    rmSync(path, { recursive: true });
    expect(await run()).toEqual(batches);
    expect(warnings).toEqual([]);
  });

  it('keeps 16 bits', async () => {
    const { path, cache } = await begin();
    const values = Uint16Array.from({ length: 64 * 64 * 3 }, (_, index) => 30_000 + (index % 200));
    const image = sharp(values, { raw: { width: 64, height: 64, channels: 3 } }).toColourspace('rgb16');
    await writeImage(join(path, '00.png'), image);
    const plain = await epoch(path, undefined);
    await epoch(path, cache);
    expect((await epoch(path, cache)).batches).toEqual(plain.batches);
  });

  it('notices an image that changed, also one of the same size', async () => {
    const { path, cache } = await begin();
    const before = await epoch(path, cache);
    const place = join(path, '02.png');
    await writeImage(place, gradient(64, 77));
    const changed = await epoch(path, cache);
    expect(changed.batches[2]?.a[2 * 1024]).toBeCloseTo(77 / 127.5 - 1, 6);
    expect(changed.batches[1]).toEqual(before.batches[1]);
    const touched = statSync(place).mtimeMs / 1000 + 10;
    utimesSync(place, touched, touched);
    expect((await epoch(path, cache)).batches).toEqual(changed.batches);
    expect(files(cache)).toHaveLength(6);
  });

  it('keeps pictures of other sizes, modes and folders apart', async () => {
    const { path, cache } = await begin();
    const side = (batch: { a: Float32Array } | undefined) => Math.sqrt((batch?.a.length ?? 0) / 3);
    await epoch(path, cache);
    const smaller = await epoch(path, cache, { height: 16, width: 16, loadSize: 24 });
    expect(side(smaller.batches[0])).toBe(16);
    const cropped = await epoch(path, cache, { preprocess: 'crop', flip: false });
    expect(at(cropped.batches[0]?.a ?? new Float32Array(), 0, 0, 1)).toBe(
      at(cropped.batches[0]?.a ?? new Float32Array(), 0, 0, 0) + 2,
    );
    const copy = join(root, 'copy');
    cpSync(path, copy, { recursive: true, preserveTimestamps: true });
    await epoch(copy, cache);
    expect(files(cache)).toHaveLength(16);
  });

  it('makes damaged files again', async () => {
    const { path, cache } = await begin();
    const { batches } = await epoch(path, cache);
    const [flipped = '', short = '', long = '', foreign = ''] = files(cache);
    const whole = readFileSync(flipped);
    const bytes = Buffer.from(whole);
    bytes.writeUInt8(bytes.readUInt8(1000) ^ 1, 1000);
    writeFileSync(flipped, bytes);
    writeFileSync(short, readFileSync(short).subarray(0, 500));
    writeFileSync(long, Buffer.concat([readFileSync(long), Buffer.alloc(9)]));
    writeFileSync(foreign, 'something else');
    const again = await epoch(path, cache);
    expect(again.batches).toEqual(batches);
    expect(again.warnings).toEqual([]);
    expect(readFileSync(flipped)).toEqual(whole);
    expect(statSync(short).size).toBe(whole.length);
  });

  it('that cannot be written is said once, and the run goes on', async () => {
    const { path } = await begin();
    const inTheWay = join(root, 'file');
    writeFileSync(inTheWay, '');
    const { batches, warnings } = await epoch(path, join(inTheWay, 'cache'));
    expect(batches).toEqual((await epoch(path, undefined)).batches);
    expect(warnings).toEqual([
      expect.stringMatching(/file.*expected a place that can be written.* not cached/),
    ]);
  });

  it('says beforehand what it will take, what of it is missing, and what is free', async () => {
    const { path, cache } = await begin();
    const resizing = { preprocess: 'resize_and_crop', loadSize: 48, height: 32, width: 32 } as const;
    const set = await openImageSet({ path, domain: 'A' });
    const plan = () => planCache({ a: set, b: set, cache: join(cache, 'deeper'), ...resizing });
    const before = await plan();
    expect(before.missing).toBe(before.bytes);
    expect(before.free).toBeGreaterThan(0);
    await epoch(path, join(cache, 'deeper'));
    const taken = files(cache).map((file) => statSync(file).size);
    // Both sets are the same here, and are counted twice.
    expect(before.bytes).toBe(2 * taken.reduce((sum, size) => sum + size));
    rmSync(files(cache)[0] ?? '');
    expect(await plan()).toMatchObject({ bytes: before.bytes, missing: 2 * (taken[0] ?? 0) });
  });
});
