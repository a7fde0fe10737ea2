/** `cyclegan translate` killed midway and called again: everything is there once, and nothing was done twice. */
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { cli, lastJson, temporaryFolder } from './support/run-cli.ts';

const bundle = fileURLToPath(new URL('../../../test/fixtures/tiny-bundle', import.meta.url));
const COUNT = 40;

test('kill -9 and --resume', async () => {
  const images = temporaryFolder();
  mkdirSync(join(images, 'in', 'deep'), { recursive: true });
  const noise = { type: 'gaussian', mean: 128, sigma: 40 } as const;
  const create = { width: 600, height: 600, channels: 3, background: 'black', noise } as const;
  const image = await sharp({ create }).png().toBuffer();
  const names = Array.from({ length: COUNT }, (_, i) => (i % 2 ? join('deep', `${i}.png`) : `${i}.png`));
  for (const name of names) await sharp(image).toFile(join(images, 'in', name));
  const out = join(images, 'out');
  const command = [
    'translate',
    bundle,
    join(images, 'in'),
    '--out',
    out,
    '--device',
    'cpu',
    '--resume',
    '--json',
  ];

  let killed = false;
  const first = await cli(command, {
    onStderr(text, child) {
      if (!killed && /^translate [1-9]/m.test(text)) killed = child.kill('SIGKILL');
    },
  });
  expect(first).toMatchObject({ code: null, stdout: '' });
  const ledger = () =>
    readFileSync(join(out, '.cyclegan', 'translations.jsonl'), 'utf8')
      .split('\n')
      .filter((line) => line.endsWith('}'))
      .map((line): { name: string } => JSON.parse(line));
  const done = ledger().map(({ name }) => name);
  expect(done.length).toBeGreaterThan(0);
  expect(done.length).toBeLessThan(COUNT);
  const written = (name: string) => statSync(join(out, name)).mtimeMs;
  const times = done.map(written);

  const second = await cli(command);
  expect(second.code).toBe(0);
  expect(lastJson(second.stdout)).toMatchObject({ translated: COUNT - done.length, skipped: done.length });
  expect(done.map(written)).toEqual(times);
  expect(
    ledger()
      .map(({ name }) => name)
      .sort(),
  ).toEqual(names.toSorted());
  for (const name of names) expect((await sharp(join(out, name)).stats()).channels).toHaveLength(3);
  const third = await cli(command);
  expect(lastJson(third.stdout)).toMatchObject({ translated: 0, skipped: COUNT });
  expect(readdirSync(out).length).toBeGreaterThanOrEqual(COUNT / 2);
});
