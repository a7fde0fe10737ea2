// The page in a real browser: it asks for nothing, fits a phone, and its slider and curves answer.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright';
import { describe, expect, it } from 'vitest';
import { browserPath as executablePath } from '../../../test/support/browser.ts';
import { samplesPng, writeReport } from '../dist/report/index.js';
import { temporaryFolder } from './temp-folder.js';

const root = temporaryFolder();

async function makeRun(): Promise<string> {
  mkdirSync(root, { recursive: true });
  writeFileSync(join(root, 'config.json'), JSON.stringify({ name: '</script><img src=x onerror=alert(1)>' }));
  const lines = [1, 2, 3, 4, 5].map((step) => {
    const side = { D_A: step, D_B: 1, G_A: 1, G_B: 1, cycle_A: 10 * step, cycle_B: 1, idt_A: 1, idt_B: 1 };
    return JSON.stringify({ step, epoch: 1, lr: 1e-3, losses: side, imagesPerSecond: 4, elapsed: step });
  });
  writeFileSync(join(root, 'metrics.jsonl'), lines.join('\n'));
  for (const step of [1, 5]) {
    const tensor = new Float32Array(3 * 16 * 16).fill(step / 5);
    const images = { realA: tensor, fakeB: tensor, recA: tensor, realB: tensor, fakeA: tensor, recB: tensor };
    await samplesPng({ path: join(root, 'samples', `00000${step}.png`), images, count: 1, size: 16 });
  }
  return writeReport({ run: root });
}

describe.skipIf(executablePath === undefined)('report.html in Chromium', () => {
  it('asks for nothing, fits a phone, and answers slider and pointer', async () => {
    const url = pathToFileURL(await makeRun()).href;
    const browser = await chromium.launch({ executablePath: executablePath ?? '', args: ['--no-sandbox'] });
    try {
      const page = await browser.newPage({ viewport: { width: 390, height: 800 } });
      const requests: string[] = [];
      const complaints: string[] = [];
      page.on('request', (request) => requests.push(request.url()));
      page.on('console', (message) => complaints.push(message.text()));
      page.on('pageerror', (error) => complaints.push(error.message));
      await page.goto(url);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);

      const shown = () => page.locator('[data-slider] img:visible').getAttribute('data-step');
      expect(await shown()).toBe('5');
      await page.locator('[data-slider] input').fill('0');
      expect(await shown()).toBe('1');
      expect(await page.locator('[data-slider] output').textContent()).toBe('1');

      const plot = page.locator('[data-plot]').first();
      await plot.hover({ position: { x: 1, y: 20 } });
      expect(await page.locator('[data-value="0"]').textContent()).toBe('10');
      expect(await page.locator('.cursor').first().getAttribute('data-step')).toBe('step 1');
      await page.mouse.move(0, 0);
      expect(Number(await page.locator('[data-value="0"]').textContent())).toBeGreaterThan(30);

      expect(complaints).toEqual([]);
      expect(requests.filter((request) => !request.startsWith('data:'))).toEqual([url]);
    } finally {
      await browser.close();
    }
  });
});
