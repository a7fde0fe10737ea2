/** The ablation study in short: it trains, measures and reports all five variants, and does nothing twice. */
import { execFile } from 'node:child_process';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { temporaryFolder } from './support/temporary-folder.ts';

const script = fileURLToPath(new URL('../bench/ablation.mjs', import.meta.url));
const setting = '32px-ngf4-blocks1-steps2-held4';
const variants = ['full', 'gan', 'cycle', 'forward', 'backward'];

async function ablation(folder: string): Promise<string> {
  const args = [script, '--quick', '--held', '4', '--threads', '1', '--runs', folder];
  return (await promisify(execFile)(process.execPath, args)).stderr;
}

/** The cells of every row of one direction's table that is a variant's. */
function rowsOf(page: string, title: string): string[][] {
  const table = page.split('### ').find((section) => section.startsWith(title)) ?? '';
  const rows = table.split('\n').filter((line) => /^\| (full|GAN|cycle)/.test(line));
  return rows.map((row) => row.split('|').slice(2, -1));
}

it('reports five variants, and started again trains nothing that is trained', async () => {
  const folder = temporaryFolder();
  const said = await ablation(folder);
  expect(said.match(/: training$/gm)).toHaveLength(5);

  const path = join(folder, 'ablation.md');
  const page = await readFile(path, 'utf8');
  expect(page).toContain('5 of 5 runs are done');
  for (const title of ['A → B', 'B → A']) {
    const rows = rowsOf(page, title);
    expect(rows).toHaveLength(5);
    for (const cells of rows) {
      expect(cells).toHaveLength(7);
      expect(cells.map(Number).every((value) => Number.isFinite(value) && value !== 0)).toBe(true);
    }
    // Other weights make other networks.
    expect(new Set(rows.map((cells) => cells.join())).size).toBeGreaterThan(1);
  }
  expect(await sharp(join(folder, 'ablation.png')).metadata()).toMatchObject({ format: 'png' });
  const weights = variants.map(async (variant) => {
    const config = JSON.parse(await readFile(join(folder, setting, `${variant}-1/run/config.json`), 'utf8'));
    return [config.lambdaGanA, config.lambdaGanB, config.lambdaA, config.lambdaB, config.lambdaIdentity];
  });
  expect(await Promise.all(weights)).toEqual([
    [1, 1, 10, 10, 0],
    [1, 1, 0, 0, 0],
    [0, 0, 10, 10, 0],
    [1, 1, 10, 0, 0],
    [1, 1, 0, 10, 0],
  ]);

  // Stopped after the last step of one run, before it was measured; and somebody has written a sentence.
  await rm(join(folder, setting, 'full-1', 'result.json'));
  await writeFile(path, page.replace('<!-- Written', 'Read this first.\n\n<!-- Written'));
  const written = (name: string) => stat(join(folder, setting, name)).then(({ mtimeMs }) => mtimeMs);
  const before = await Promise.all(variants.map((variant) => written(`${variant}-1/run/metrics.jsonl`)));
  const again = await ablation(folder);
  expect(again.match(/: done before$/gm)).toHaveLength(4);
  expect(await Promise.all(variants.map((variant) => written(`${variant}-1/run/metrics.jsonl`)))).toEqual(
    before,
  );
  const after = await readFile(path, 'utf8');
  expect(after).toBe(page.replace('<!-- Written', 'Read this first.\n\n<!-- Written'));
}, 300_000);
