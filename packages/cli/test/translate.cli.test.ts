/** `cyclegan translate` as a shell sees it: where words go, exit codes, errors, Ctrl-C. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { cli, lastJson, temporaryFolder } from './support/run-cli.ts';

const bundle = fileURLToPath(new URL('../../../test/fixtures/tiny-bundle', import.meta.url));

async function folderOfImages(count: number, side: number): Promise<{ images: string; out: string }> {
  const folder = temporaryFolder();
  const create = { width: side, height: side, channels: 3, background: 'teal' } as const;
  for (let i = 0; i < count; i += 1) await sharp({ create }).toFile(join(folder, `${i}.png`));
  return { images: folder, out: join(folder, 'out') };
}

/** What is not hidden. */
const namesIn = (folder: string) =>
  readdirSync(folder)
    .filter((name) => !name.startsWith('.'))
    .sort();

test('translates; progress and facts on stderr, the result on stdout', async () => {
  const { images, out } = await folderOfImages(2, 24);
  const { code, stdout, stderr } = await cli(['translate', bundle, images, '--out', out, '--device', 'cpu']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^2 translated to .*out in [\d.]+ s \([\d.]+ a second\)\n$/);
  expect(stderr).toMatch(/^AtoB fp32 on cpu, \d+ threads?\nThe bundle has AtoB as fp32 alone\.\n/);
  expect(stderr).toMatch(/^translate 2\/2 [\d.]+ images\/s, .*\.png$/m);
  expect(namesIn(out)).toEqual(['0.png', '1.png']);
});

test('takes several inputs, and of an option given twice the last', async () => {
  const { images, out } = await folderOfImages(2, 24);
  const other = await folderOfImages(1, 16);
  const inputs = [join(images, '1.png'), join(images, '0.png'), other.images];
  const { code, stdout } = await cli(['translate', bundle, ...inputs, '--out', other.out, '--out', out]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^3 translated/);
  expect(namesIn(out)).toEqual(['0-2.png', '0.png', '1.png']);
  expect(existsSync(other.out)).toBe(false);
});

test('--json: one object, with what failed, and then exit code 1', async () => {
  const { images, out } = await folderOfImages(1, 24);
  const broken = join(images, 'broken.jpg');
  writeFileSync(broken, 'no picture');
  const { code, stdout, stderr } = await cli([
    'translate',
    bundle,
    images,
    '--out',
    out,
    '--device',
    'cpu',
    '--json',
  ]);
  expect(code).toBe(1);
  expect(stdout.trimEnd().split('\n')).toHaveLength(1);
  expect(lastJson(stdout)).toMatchObject({
    out,
    direction: 'AtoB',
    precision: 'fp32',
    device: 'cpu',
    threads: expect.any(Number),
    translated: 1,
    skipped: 0,
    failed: 1,
    failures: [{ file: broken, message: expect.stringContaining('broken.jpg') }],
    ledger: join(out, '.cyclegan', 'translations.jsonl'),
  });
  expect(stderr).toMatch(/^warning: .*broken\.jpg/m);
});

test('a failure is one sentence and 1; the stack comes with --debug, the code with --json', async () => {
  const { images, out } = await folderOfImages(1, 24);
  const nothing = ['translate', join(images, 'none'), images, '--out', out];
  const plain = await cli(nothing);
  expect(plain).toMatchObject({ code: 1, stdout: '' });
  expect(plain.stderr).toMatch(/^\[[a-z]+\] [^\n]*expected [^\n]*got [^\n]*\n$/);
  const debug = await cli([...nothing, '--debug', '--json']);
  expect(debug.code).toBe(1);
  expect(debug.stderr).toMatch(/^ {4}at /m);
  expect(lastJson(debug.stdout)).toEqual({ error: { code: 'bundle', message: plain.stderr.trimEnd() } });
});

test('Ctrl-C: what is done stays, nothing is half written, and the code is 130', async () => {
  const { images, out } = await folderOfImages(60, 700);
  let asked = false;
  const { code, stdout, stderr } = await cli(['translate', bundle, images, '--out', out, '--device', 'cpu'], {
    onStderr(text, child) {
      if (!asked && text.includes('translate ')) asked = child.kill('SIGINT');
    },
  });
  expect(stderr).toContain('Press Ctrl-C again');
  expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
  expect(stderr).toContain('--resume');
  const written = namesIn(out);
  expect(written.length).toBeLessThan(60);
  expect(readdirSync(out).filter((name) => name.endsWith('.draft'))).toEqual([]);
  for (const name of written) expect((await sharp(join(out, name)).stats()).channels).toHaveLength(3);
});

test('many failures: some are named, the rest counted and in the ledger', async () => {
  const { images, out } = await folderOfImages(1, 24);
  for (let i = 0; i < 30; i += 1) writeFileSync(join(images, `bad-${i}.jpg`), 'no picture');
  const { code, stdout, stderr } = await cli(['translate', bundle, images, '--out', out, '--device', 'cpu']);
  expect(code).toBe(1);
  expect(stdout).toMatch(/^1 translated to .*, 30 failed\n$/);
  expect(stderr.match(/^warning: \[image\] .*bad-\d+\.jpg: /gm)).toHaveLength(20);
  expect(stderr).toMatch(/^warning: 10 more files failed; .*translations\.jsonl names all$/m);
  const ledger = readFileSync(join(out, '.cyclegan', 'translations.jsonl'), 'utf8')
    .trimEnd()
    .split('\n');
  expect(ledger.filter((line) => 'error' in JSON.parse(line))).toHaveLength(30);
});

test('--dry-run says what would be done, with what, and writes nothing', async () => {
  const { images, out } = await folderOfImages(3, 24);
  writeFileSync(join(images, 'clip.mp4'), '');
  const given = ['translate', bundle, images, '--out', out, '--device', 'cpu', '--memory', '2G', '--dry-run'];
  const { code, stdout } = await cli(given);
  expect(code).toBe(0);
  expect(stdout.split('\n').slice(0, 7)).toEqual([
    ...['0.png', '1.png', '2.png', 'clip.mp4'].map((name) => `${join(images, name)} -> ${name}`),
    `would translate to ${out}: 3 images, 1 videos`,
    expect.stringMatching(/^AtoB fp32 on cpu, /),
    'The bundle has AtoB as fp32 alone.',
  ]);
  expect(stdout).toMatch(/^memory: 2\.0 GiB /m);
  expect(existsSync(out)).toBe(false);
  expect(lastJson((await cli([...given, '--json'])).stdout)).toMatchObject({
    dryRun: true,
    memory: 2 ** 31,
    total: 4,
    videos: 1,
    done: 0,
    jobs: expect.arrayContaining([{ input: join(images, '0.png'), name: '0.png' }]),
  });
});

test('--zip, and a pattern that no shell has expanded', async () => {
  const { images, out } = await folderOfImages(3, 24);
  const zip = `${out}.zip`;
  const { code, stdout } = await cli(['translate', bundle, join(images, '[01].*'), '--zip', zip, '--json']);
  expect(code).toBe(0);
  expect(lastJson(stdout)).toMatchObject({ zip, translated: 2, failed: 0 });
  expect(readFileSync(zip).subarray(0, 2).toString()).toBe('PK');
});

test('options reach the files', async () => {
  const { images, out } = await folderOfImages(1, 48);
  const options = [
    '--format',
    'jpg',
    '--size',
    '32x16',
    '--quality',
    '30',
    '--workers',
    '2',
    '--threads',
    '2',
  ];
  const { code, stderr } = await cli([
    'translate',
    bundle,
    images,
    '--out',
    out,
    '--device',
    'cpu',
    ...options,
  ]);
  expect(code).toBe(0);
  expect(stderr).toContain('2 threads, 2 workers');
  expect(await sharp(join(out, '0.jpg')).metadata()).toMatchObject({ format: 'jpeg', width: 32, height: 16 });
});
