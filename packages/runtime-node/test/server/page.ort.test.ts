/**
 * The upload page as a visitor has it, at a real server in a real browser: a dropped picture, its translation, the
 * token, and what cannot be read; without one error in the console or breach of the page's policy.
 */
import { createTranslator } from '@cyclegan/runtime-node';
import { createServer, type ServerOptions } from '@cyclegan/runtime-node/server';
import { type Browser, chromium, type Page } from 'playwright';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { browserPath as executablePath } from '../../../../test/support/browser.ts';
import { noise, tinyBundle } from '../support.ts';
import { startServer } from './support.ts';

describe.skipIf(!executablePath)('the upload page', () => {
  let browser: Browser;
  let png: Buffer;

  beforeAll(async () => {
    png = await noise(60, 44).png().toBuffer();
    browser = await chromium.launch({ ...(executablePath && { executablePath }), args: ['--no-sandbox'] });
  });
  afterAll(() => browser?.close());

  /** The page of a server of its own, everything that its console said, and each address that it asked for. */
  async function open(options: Partial<ServerOptions> = {}) {
    const { url } = await startServer(options);
    const page = await browser.newPage();
    onTestFinished(() => page.close());
    const said: string[] = [];
    const requested = new Set<string>();
    page.on('request', (request) => requested.add(request.url()));
    page.on('console', (message) => said.push(message.text()));
    page.on('pageerror', (error) => said.push(error.message));
    await page.goto(url);
    return { page, url, said, requested };
  }

  it('translates a dropped picture, compares, turns round and saves', async () => {
    const { page, url, said, requested } = await open();
    await drop(page, { name: 'mine.png', type: 'image/png', bytes: png });
    await result(page);
    expect(await page.locator('#size').textContent()).toBe('60 × 44');
    expect(await page.locator('#weight').textContent()).toMatch(/^PNG, \d+ KiB$/);
    expect(await page.locator('#time').textContent()).toMatch(/^\d+ ms$/);

    const slider = page.getByRole('slider', { name: 'Divide' });
    await slider.focus();
    for (let i = 0; i < 5; i += 1) await slider.press('ArrowLeft');
    const moved = Number(await slider.inputValue());
    expect(moved).toBeLessThan(50);
    const split = page.locator('#compare').evaluate((element) => element.style.getPropertyValue('--split'));
    expect(await split).toBe(`${moved}%`);

    await page.getByRole('radio', { name: 'B → A' }).check();
    await result(page);
    const coming = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download' }).click();
    const saved = await coming;
    expect(saved.suggestedFilename()).toBe('mine-BtoA.png');
    const translator = await createTranslator(tinyBundle, { direction: 'BtoA', device: 'cpu' });
    const expected = await (await translator.translate(png)).removeAlpha().raw().toBuffer();
    await translator.dispose();
    expect(
      await sharp(await saved.path())
        .removeAlpha()
        .raw()
        .toBuffer(),
    ).toEqual(expected);

    await page.getByLabel('Save as').selectOption('webp');
    await result(page);
    expect(await page.locator('#weight').textContent()).toMatch(/^WebP/);
    expect(await page.getByRole('slider', { name: 'Quality' }).isVisible()).toBe(true);
    expect(await page.locator('#curl').textContent()).toContain(
      `${url}/v1/translate?direction=BtoA&format=webp&quality=90`,
    );
    expect([...requested].filter((each) => !/^(blob|data):/.test(each) && !each.startsWith(url))).toEqual([]);
    expect(said).toEqual([]);
  });

  it('says in a sentence what the server cannot read, and goes on', async () => {
    const { page } = await open();
    await drop(page, { name: 'notes.png', type: 'image/png', bytes: Buffer.from('not a picture') });
    await expect.poll(() => page.getByRole('alert').textContent()).toMatch(/^Expected a whole image/);
    await drop(page, { name: 'mine.png', type: 'image/png', bytes: png });
    await result(page);
    expect(await page.getByRole('alert').textContent()).toBe('');
  });

  it('translates what the browser cannot show, and has it to save', async () => {
    const { page, said } = await open();
    const tiff = await noise(20, 12).tiff().toBuffer();
    await drop(page, { name: 'scan.tif', type: 'image/tiff', bytes: tiff });
    await expect.poll(() => page.getByRole('alert').textContent()).toMatch(/cannot show TIFF/);
    expect(await page.getByRole('button', { name: 'Download' }).isEnabled()).toBe(true);
    expect(said).toEqual([]);
  });

  it('asks for the token where the server does, and says when it is wrong', async () => {
    const token = 'a-token-for-the-page';
    const { page } = await open({ token });
    const field = page.getByLabel('Token');
    await field.fill('another-token-altogether');
    await field.press('Enter');
    await expect.poll(() => page.getByRole('alert').textContent()).toMatch(/does not know this token/);
    await field.fill(token);
    await field.press('Enter');
    await page.locator('#model:not(:empty)').waitFor();
    expect(await field.isVisible()).toBe(false);
    await drop(page, { name: 'mine.png', type: 'image/png', bytes: png });
    await result(page);
  });

  it('offers to try again when the server has gone, and does', async () => {
    const first = await createServer({ bundle: tinyBundle, port: 0, device: 'cpu', threads: 1 });
    const url = await first.listen();
    await first.ready();
    const page = await browser.newPage();
    onTestFinished(() => page.close());
    await page.goto(url);
    await page.locator('#model:not(:empty)').waitFor();
    await first.close();
    await drop(page, { name: 'mine.png', type: 'image/png', bytes: png });
    const again = page.getByRole('button', { name: 'Try again' });
    await again.waitFor();
    await startServer({ port: Number(new URL(url).port) });
    await again.click();
    await result(page);
  });
});

/** Waits for the translation of what was chosen last. */
async function result(page: Page): Promise<void> {
  await page.locator('#stage:not(.busy) .compare.done').waitFor();
}

async function drop(page: Page, file: { name: string; type: string; bytes: Buffer }): Promise<void> {
  const transfer = await page.evaluateHandle(
    ({ name, type, values }) => {
      const data = new DataTransfer();
      data.items.add(new File([Uint8Array.from(values)], name, { type }));
      return data;
    },
    { name: file.name, type: file.type, values: [...file.bytes] },
  );
  await page.dispatchEvent('body', 'drop', { dataTransfer: transfer });
}
