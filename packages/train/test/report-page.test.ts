// The page in a real browser: the file asks for nothing, fits a phone, and its slider and curves answer; the live one
// takes in what is new without disturbing who reads it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { browserPath as executablePath } from '../../../test/support/browser.ts';
import { serveReport } from '../dist/live/index.js';
import { writeReport } from '../dist/report/index.js';
import { config, evaluation, grey, line, runFolder, samplePath } from './support/run-folder.ts';
import { temporaryFolder } from './temp-folder.js';

const root = temporaryFolder();

const makeRun = (name: string) =>
  runFolder(root, name, {
    config: { ...config, name: '</script><img src=x onerror=alert(1)>' },
    lines: [
      ...[1, 2, 3, 4, 5].map((step) => line(step, { cycle_A: 10 * step })),
      evaluation(2, { kid_AtoB: 0.2 }, true),
      evaluation(5, { kid_AtoB: 0.3 }, false),
    ],
    samples: [1, 2, 5],
  });

describe.skipIf(executablePath === undefined)('the page in Chromium', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: executablePath ?? '', args: ['--no-sandbox'] });
  });
  afterAll(() => browser.close());

  /** A phone, and all that its page asked for and complained of. */
  async function open(url: string): Promise<{ page: Page; requests: string[]; complaints: string[] }> {
    const page = await browser.newPage({ viewport: { width: 390, height: 800 } });
    const requests: string[] = [];
    const complaints: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(url);
    return { page, requests, complaints };
  }
  const shownStep = (page: Page) => page.locator('.shot:visible:not(.below)').getAttribute('data-step');

  it('asks for nothing, fits a phone, and answers slider and pointer', async () => {
    const url = pathToFileURL(await writeReport({ run: await makeRun('file') })).href;
    const { page, requests, complaints } = await open(url);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);

    expect(await shownStep(page)).toBe('5');
    await page.locator('[data-slider] input').fill('0');
    expect(await shownStep(page)).toBe('1');
    expect(await page.locator('[data-slider] output').textContent()).toBe('1');
    await page.locator('[data-play]').click();
    await page.locator('[data-play]', { hasText: 'Pause' }).waitFor();
    await page.locator('[data-play]', { hasText: 'Play' }).waitFor();
    expect(await shownStep(page)).toBe('5');

    const curves = page.locator('#curves');
    await curves
      .locator('[data-plot]')
      .first()
      .hover({ position: { x: 1, y: 20 } });
    expect(await curves.locator('[data-value="0"]').textContent()).toBe('10');
    expect(await curves.locator('.cursor').first().getAttribute('data-step')).toBe('step 1');
    await page.mouse.move(0, 0);
    expect(Number(await curves.locator('[data-value="0"]').textContent())).toBeGreaterThan(30);
    expect(await curves.locator('.cursor').first().isVisible()).toBe(false);

    expect(complaints).toEqual([]);
    expect(requests.filter((request) => !request.startsWith('data:'))).toEqual([url]);
    await page.close();
  });

  it('takes in what is new, keeps the place of its reader, and says when it was all', async () => {
    const run = await makeRun('live');
    const server = await serveReport({ run });
    const { page, requests, complaints } = await open(server.url);
    const status = page.locator('[data-live]');
    await status.filter({ hasText: 'Live' }).waitFor();
    await page.locator('[data-slider] input').fill('1');

    await grey(samplePath(run, 9), 9);
    appendFileSync(join(run, 'metrics.jsonl'), `${JSON.stringify(line(9))}\n`);
    await page.locator('#head', { hasText: '9 of 100' }).waitFor();
    await page.locator('.shot[data-step="9"]').waitFor({ state: 'attached' });
    expect(await page.title()).toBe('9.0\u00a0% · live');
    expect(await shownStep(page)).toBe('2');
    // Who looks at the newest goes on looking at the newest.
    await page.locator('[data-slider] input').fill('3');
    await grey(samplePath(run, 12), 12);
    await page.locator('.shot[data-step="12"]:visible').waitFor();

    await server.close();
    await status.filter({ hasText: 'Training has ended' }).waitFor();
    await page.locator('[data-slider] input').fill('0');
    expect(await shownStep(page)).toBe('1');
    expect(complaints).toEqual([]);
    expect(requests.every((request) => request.startsWith(server.url))).toBe(true);
    await page.close();
  });

  it('says so when its server is gone', async () => {
    const run = await makeRun('lost');
    const live = new URL('../dist/live/index.js', import.meta.url).href;
    const program = `const { serveReport } = await import(${JSON.stringify(live)});
      console.log((await serveReport({ run: ${JSON.stringify(run)} })).url);
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program]);
    try {
      const [url] = await once(child.stdout.setEncoding('utf8'), 'data');
      const { page } = await open(String(url).trim());
      await page.locator('[data-live]', { hasText: 'Live' }).waitFor();
      child.kill('SIGKILL');
      await page.locator('[data-live]', { hasText: 'Connection lost' }).waitFor();
      await page.close();
    } finally {
      child.kill('SIGKILL');
    }
  });
});
