/** A run that is watched while it trains: the live page by --open, TensorBoard's files by --tensorboard. */
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test, vi } from 'vitest';
import { cli, temporaryFolder } from './support/run-cli.ts';

test('--open serves the report while it trains, --tensorboard writes event files', async () => {
  // No browser is to be opened on the machine of whoever runs the tests.
  vi.stubEnv('SSH_CONNECTION', 'a test');
  const root = temporaryFolder();
  for (const [domain, background] of [['a', 'teal'] as const, ['b', 'tomato'] as const]) {
    mkdirSync(join(root, domain));
    const image = sharp({ create: { width: 40, height: 40, channels: 3, background } });
    for (const name of ['0.png', '1.png']) await image.toFile(join(root, domain, name));
  }
  const [a, b, run] = [join(root, 'a'), join(root, 'b'), join(root, 'watched')];
  const tiny = ['--size', '32', '--ngf', '4', '--blocks', '1', '--steps', '4000'];
  let page: Promise<string> | undefined;
  const args = ['train', '--a', a, '--b', b, '--out', run, ...tiny, '--open', '--tensorboard'];
  const { code, stderr } = await cli(args, {
    onStderr(text, child) {
      const [, url] = /Watch it at (http:\/\/127\.0\.0\.1:\d+\/)/.exec(text) ?? [];
      if (url === undefined || page) return;
      page = fetch(url)
        .then((response) => response.text())
        .finally(() => child.kill('SIGINT'));
    },
  });
  expect(code, stderr).toBe(130);
  expect(await page).toContain('<h1>watched</h1>');
  expect(readdirSync(join(run, 'tensorboard'))).toEqual([expect.stringMatching(/^events\.out\.tfevents\./)]);
});
