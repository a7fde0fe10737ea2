/** docs/serve.md: its requests by curl, JavaScript and Python are sent to a real server as they stand there. */
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { noise, temporaryFolder, tinyBundle } from '../support.ts';
import { startServer } from './support.ts';

const guide = readFileSync(new URL('../../../../docs/serve.md', import.meta.url), 'utf8');
const blocks = (language: string) =>
  [...guide.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, code = '']) => code);
const [byCurl = '', withToken = ''] = blocks('sh').filter((code) => code.includes('curl '));
const [asLibrary = '', byFetch = ''] = blocks('js');
const [byPython = ''] = blocks('python');
const token = 'a-token-for-the-guide';
const has = (program: string) => spawnSync(program, ['--version']).status === 0;

async function folderWithPhoto(): Promise<string> {
  const folder = temporaryFolder();
  await noise(40, 24).toFile(join(folder, 'photo.jpg'));
  return folder;
}

/** Runs it in a folder with a photo.jpg, at a server in place of the guide's. */
async function run(program: string, args: (code: string) => string[], needsToken = false): Promise<string> {
  const { url } = await startServer(needsToken ? { token } : {});
  const folder = await folderWithPhoto();
  const code = program.replaceAll('http://127.0.0.1:8080', url);
  const env = { ...process.env, CYCLEGAN_TOKEN: token };
  await promisify(execFile)(args(code)[0] ?? '', args(code).slice(1), { cwd: folder, env });
  return folder;
}

const kind = async (...path: string[]) => {
  const { format, width, height } = await sharp(join(...path)).metadata();
  return `${format} ${width}x${height}`;
};

describe.skipIf(!has('curl'))('by curl', () => {
  const bash = (code: string) => ['bash', '-e', '-o', 'pipefail', '-c', code];

  it('a form, bytes and JSON', async () => {
    const folder = await run(byCurl, bash);
    expect(await kind(folder, 'painted.jpg')).toBe('jpeg 40x24');
    expect(await kind(folder, 'painted.webp')).toBe('webp 40x24');
    const { image, type } = JSON.parse(readFileSync(join(folder, 'painted.json'), 'utf8'));
    expect(type).toBe('image/png');
    expect((await sharp(Buffer.from(image, 'base64')).metadata()).width).toBe(40);
  });

  it('with a token', async () => {
    expect(await kind(await run(withToken, bash, true), 'painted.jpg')).toBe('jpeg 40x24');
  });
});

it('by fetch', async () => {
  const folder = await run(byFetch, (code) => [process.execPath, '--input-type=module', '-e', code]);
  expect(await kind(folder, 'painted.png')).toBe('png 40x24');
});

it.skipIf(!has('python3'))('by Python', async () => {
  const folder = await run(byPython, (code) => ['python3', '-c', code]);
  expect(await kind(folder, 'painted.webp')).toBe('webp 40x24');
});

it('as a library', async () => {
  // Beside this test, where the package is found by its name.
  const file = fileURLToPath(new URL(`.guide-${process.pid}.mjs`, import.meta.url));
  writeFileSync(file, asLibrary.replace("'bundles/paint'", JSON.stringify(tinyBundle)));
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [file]);
    expect(stdout).toBe('200\n');
  } finally {
    rmSync(file);
  }
});

it('names the figures that the server gives, and all of them', async () => {
  const { get } = await startServer();
  const text = await (await get('/metrics')).text();
  const given = [...text.matchAll(/^# HELP (cyclegan_\w+)/gm)].map(([, name = '']) => name);
  const named = [...guide.matchAll(/`(cyclegan_\w+)(?:\{[\w,]+\})?`/g)].map(([, name = '']) => name);
  expect(new Set(named)).toEqual(new Set(given));
});
