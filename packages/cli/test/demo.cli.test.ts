/** `cyclegan demo` with a handful of steps: every stage runs, and the page it names is there. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cli, lastJson, temporaryFolder } from './support/run-cli.ts';

test('a page, a bundle and the scores', async () => {
  const out = join(temporaryFolder(), 'demo');
  const { code, stdout, stderr } = await cli(['demo', '--out', out, '--steps', '2', '--json']);
  expect(code, stderr).toBe(0);
  const result = lastJson(stdout);
  expect(result).toMatchObject({
    page: join(out, 'index.html'),
    verified: true,
    scores: [
      { icons: expect.any(Number), inputL1: expect.any(Number), translatedL1: expect.any(Number) },
      { icons: expect.any(Number), inputL1: expect.any(Number), translatedL1: expect.any(Number) },
    ],
  });
  expect(readFileSync(join(out, 'index.html'), 'utf8')).toContain('<html');
  expect(existsSync(join(String(result['bundle']), 'manifest.json'))).toBe(true);
  expect(stderr).toMatch(/^train 2\/2 /m);
});
