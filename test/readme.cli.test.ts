/** The README's Node program is run as it stands there, with files that exist. */
import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { makeBundle } from './support/make-bundle.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

it('translates a photo', async () => {
  const folder = temporaryFolder();
  const { bundle } = await makeBundle({ dir: folder });
  const photo = join(folder, 'photo.jpg');
  const painted = join(folder, 'painted.webp');
  const create = { width: 50, height: 30, channels: 3, background: 'teal' } as const;
  await sharp({ create }).toFile(photo);

  const readme = await readFile(join(root, 'README.md'), 'utf8');
  const block = [...readme.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) => code ?? '');
  const program = block.find((code) => code.includes('@cyclegan/runtime-node'));
  expect(program).toBeDefined();
  const filled = program
    ?.replace("'bundles/paint'", JSON.stringify(bundle))
    .replace("'photo.jpg'", JSON.stringify(photo))
    .replace("'painted.webp'", JSON.stringify(painted));
  // Below the root, where the packages are found by their names.
  const file = join(root, 'test', `.readme-${process.pid}.mjs`);
  await writeFile(file, filled ?? '');
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [file]);
    expect(stdout).toMatch(/^cpu /);
  } finally {
    await rm(file, { force: true });
  }
  expect(await sharp(painted).metadata()).toMatchObject({ format: 'webp', width: 50, height: 30 });
});
