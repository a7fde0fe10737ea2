/** The browser is opened where somebody can see it, and nowhere else. A script stands where a browser would. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from './support/run-cli.ts';

test.skipIf(process.platform !== 'linux')('opens a browser on a display only', () => {
  const folder = temporaryFolder();
  const [browser, opened] = [join(folder, 'browser'), join(folder, 'opened')];
  writeFileSync(browser, `#!/bin/sh\nprintf %s "$1" > ${opened}\n`);
  chmodSync(browser, 0o755);
  const module = new URL('../dist/open-in-browser.js', import.meta.url).href;
  // The browser goes on by itself, so that the program waits for its trace.
  const program = `
    const { openInBrowser } = await import(${JSON.stringify(module)});
    await openInBrowser('http://127.0.0.1:1/');
    const { existsSync } = await import('node:fs');
    for (let tries = 0; tries < Number(process.env.TRIES) && !existsSync(${JSON.stringify(opened)}); tries++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }`;
  const run = (tries: number, display: Record<string, string>) => {
    rmSync(opened, { force: true });
    // No application but the script.
    const home = { HOME: folder, XDG_DATA_DIRS: folder, BROWSER: browser };
    const env = { PATH: process.env['PATH'], ...home, TRIES: String(tries), ...display };
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
      env,
    });
    expect([status, String(stderr)]).toEqual([0, '']);
    return existsSync(opened) && readFileSync(opened, 'utf8');
  };
  expect(run(200, { DISPLAY: ':99' })).toBe('http://127.0.0.1:1/');
  expect(run(10, {})).toBe(false);
  expect(run(10, { DISPLAY: ':99', SSH_CONNECTION: '10.0.0.1 1 10.0.0.2 22' })).toBe(false);
});
