/** The package's README and the guide: their programs are run as they stand there, and what they name is there. */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as runtime from '@cyclegan/runtime-node';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { filesIn, noise, temporaryFolder, tinyBundle } from './support.ts';

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');
const programs = (text: string) => [...text.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code = '']) => code);
const readme = read('../README.md');
const guide = read('../../../docs/node.md');

/** Runs a program beside this test, where the package is found by its name, in a folder with what it names. */
async function run(program: string): Promise<{ folder: string; stdout: string }> {
  const folder = temporaryFolder();
  for (const name of ['photo.jpg', 'holiday/day 1/beach.jpg', 'scans/one.tif']) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    await noise(40, 24).toFile(join(folder, name));
  }
  const file = fileURLToPath(new URL(`.readme-${process.pid}.mjs`, import.meta.url));
  writeFileSync(file, program.replace("'bundles/paint'", JSON.stringify(tinyBundle)));
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [file], { cwd: folder });
    return { folder, stdout };
  } finally {
    rmSync(file);
  }
}

it("the README's five lines translate a photo and a folder", async () => {
  const [program = ''] = programs(readme);
  expect(program.split('\n').filter((line) => /^(const|await)/.test(line))).toHaveLength(5);
  const { folder } = await run(program);
  expect(await sharp(join(folder, 'painted.webp')).metadata()).toMatchObject({ width: 40, height: 24 });
  expect(filesIn(join(folder, 'painted'))).toEqual([join('day 1', 'beach.jpg')]);
});

it.each([
  ['README', readme],
  ['guide', guide],
])('the functions that the %s names are exported', (_, text) => {
  const methods = ['translate', 'translatePixels', 'pack'];
  const named = [...text.matchAll(/`(\w+)\(/g), ...text.matchAll(/await (\w+)\(/g)].map(
    ([, name = '']) => name,
  );
  expect(named.length).toBeGreaterThan(4);
  for (const name of named) {
    if (!methods.includes(name) && name !== 'writeFile') expect(runtime).toHaveProperty(name);
  }
});

describe("the guide's programs", () => {
  const expected = [
    /^cpu fp32 /,
    /^image\/webp \{/,
    /\n?2\/2 .* translated\n2 0 0\n$/,
    /^(230400 [\d.]+ [\d.]+\n){6}$/,
    /^bundle \[bundle\] /,
  ];
  it('are as many as are known here', () => expect(programs(guide)).toHaveLength(expected.length));
  it.each(programs(guide).map((program, i) => [i + 1, program] as const))('%i', async (number, program) => {
    const { stdout } = await run(program);
    expect(stdout).toMatch(expected[number - 1] ?? /never/);
  });
});
