/**
 * How long a folder of many images takes to open, and how much memory its names do, beside Node's own recursive
 * listing of it. The files are links to one picture, in folders of a thousand.
 *
 *     node bench/listing.mjs [--count 100000]
 */
import { linkSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openImageSet } from '@cyclegan/train';

const { values } = parseArgs({ options: { count: { type: 'string', default: '100000' } } });
const count = Number(values.count);
const sharp = createRequire(import.meta.resolve('@cyclegan/train'))('sharp');
const root = mkdtempSync(join(tmpdir(), 'cyclegan-listing-'));
const rows = [];

async function measure(name, work) {
  const before = process.memoryUsage().rss;
  const started = performance.now();
  const images = await work();
  const seconds = (performance.now() - started) / 1000;
  rows.push({ name, images, seconds, megabytes: (process.memoryUsage().rss - before) / 2 ** 20 });
}

try {
  // A file may have 65,000 names at most on ext4.
  const perPicture = 50_000;
  for (let i = 0; i < count; i++) {
    const picture = join(root, `picture-${Math.floor(i / perPicture)}.png`);
    if (i % perPicture === 0)
      await sharp({ create: { width: 64, height: 64, channels: 3, background: '#888' } }).toFile(picture);
    const folder = join(root, 'images', String(Math.floor(i / 1000)));
    if (i % 1000 === 0) mkdirSync(folder, { recursive: true });
    linkSync(picture, join(folder, `${i}.png`));
  }
  const path = join(root, 'images');
  await measure('openImageSet', async () => (await openImageSet({ path, domain: 'A' })).files.length);
  await measure('readdir alone', async () => {
    const entries = await readdir(path, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).length;
  });
} finally {
  rmSync(root, { recursive: true });
}
console.log('| listing | images | s | MB of memory more |');
console.log('|---|---|---|---|');
for (const { name, images, seconds, megabytes } of rows) {
  console.log(`| ${name} | ${images} | ${seconds.toFixed(2)} | ${megabytes.toFixed(0)} |`);
}
const [ours, peer] = rows;
console.log(`\n${(ours.seconds / peer.seconds).toFixed(1)} times as long as listing the names alone.`);
