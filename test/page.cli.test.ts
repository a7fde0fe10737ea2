/**
 * The example page as a visitor has it: built, served, and driven in a real browser from a dropped picture to a
 * saved PNG. The runtime's own cases lie in packages/runtime-web/test.
 */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createTranslator } from '@cyclegan/runtime-node';
import { type Browser, chromium, type Page } from 'playwright';
import sharp from 'sharp';
import { build, type PreviewServer, preview } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { picture } from './contract/translator-contract.ts';
import { browserPath as executablePath } from './support/browser.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const bundle = here('fixtures/tiny-bundle');
const configFile = here('../examples/web/vite.config.ts');

describe.skipIf(!executablePath)('the example page', () => {
  let folder: string;
  let server: PreviewServer;
  let origin: string;
  let browser: Browser;
  let png: Buffer;

  async function serve(): Promise<PreviewServer> {
    return preview({
      configFile,
      logLevel: 'warn',
      build: { outDir: join(folder, 'dist') },
      preview: { port: 0, host: '127.0.0.1' },
    });
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cyclegan-page-'));
    const { width, height, data } = picture(60, 44);
    png = await sharp(data, { raw: { width, height, channels: 4 } })
      .png()
      .toBuffer();
    await writeFile(join(folder, 'sample.png'), png);
    await writeFile(join(folder, 'index.json'), '["sample.png"]');
    process.env['CYCLEGAN_BUNDLE'] = bundle;
    process.env['CYCLEGAN_SAMPLES'] = folder;
    await build({ configFile, logLevel: 'warn', build: { outDir: join(folder, 'dist'), emptyOutDir: true } });
    server = await serve();
    origin = address(server);
    browser = await chromium.launch({ ...(executablePath && { executablePath }), args: ['--no-sandbox'] });
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** A page that fails the test on an error nobody caught, and notes each address that it asks for. */
  async function open(url = origin): Promise<{ page: Page; requested: Set<string> }> {
    const page = await browser.newPage();
    const requested = new Set<string>();
    page.on('request', (request) => requested.add(request.url()));
    page.on('pageerror', (error) => {
      throw error;
    });
    await page.goto(url);
    return { page, requested };
  }

  it('translates a dropped picture, compares, turns round and saves, all from its own origin', async () => {
    const { page, requested } = await open();
    expect(await page.evaluate(() => globalThis.crossOriginIsolated)).toBe(true);
    await result(page);
    await drop(page, { name: 'mine.png', bytes: png });
    await result(page);
    expect(await page.locator('#device').textContent()).toMatch(/^(WASM|WebGPU)/);
    expect(await page.locator('#time').textContent()).toMatch(/^\d+ ms$/);
    expect(await page.locator('#size').textContent()).toBe('60 × 44');

    const slider = page.getByRole('slider');
    await slider.focus();
    for (let i = 0; i < 5; i += 1) await slider.press('ArrowLeft');
    const moved = Number(await slider.inputValue());
    expect(moved).toBeLessThan(50);
    expect(await slider.getAttribute('aria-valuetext')).toBe(`${Math.round(moved)} % before`);
    const split = page.locator('#compare').evaluate((element) => element.style.getPropertyValue('--split'));
    expect(await split).toBe(`${moved}%`);

    await page.getByRole('radio', { name: 'B → A' }).check();
    await result(page);
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download PNG' }).click();
    const saved = await download;
    expect(saved.suggestedFilename()).toBe('mine-BtoA.png');
    const translator = await createTranslator(bundle, { direction: 'BtoA', device: 'cpu' });
    const expected = await (await translator.translate(png)).removeAlpha().raw().toBuffer();
    await translator.dispose();
    const found = await sharp(await saved.path())
      .removeAlpha()
      .raw()
      .toBuffer();
    const off = found.filter((value, i) => !(Math.abs(value - (expected[i] ?? Number.NaN)) <= 1));
    expect(found.length).toBe(expected.length);
    expect(off.length).toBeLessThanOrEqual(found.length / 1000);

    const elsewhere = [...requested].filter(
      (url) => !url.startsWith(`${origin}/`) && !url.startsWith('blob:'),
    );
    expect(elsewhere).toEqual([]);
    // So the workers' requests are among those seen.
    expect([...requested].filter((url) => url.endsWith('.wasm'))).toHaveLength(1);
    await page.close();
  });

  it('says in a sentence what it cannot read, and goes on', async () => {
    const { page } = await open();
    await result(page);
    await drop(page, { name: 'notes.jpg', bytes: Buffer.from('not a picture') });
    await expect
      .poll(() => page.getByRole('alert').textContent())
      .toMatch(/not a picture that your browser can read/);
    await page.getByRole('button', { name: 'sample' }).click();
    await result(page);
    expect(await page.getByRole('alert').textContent()).toBe('');
    await page.close();
  });

  it('says what to run when there is no bundle', async () => {
    process.env['CYCLEGAN_BUNDLE'] = join(folder, 'nowhere');
    const empty = await serve();
    const { page } = await open(address(empty));
    await page.getByText('npm run demo').waitFor();
    expect(await page.getByText('Drop a picture here').isVisible()).toBe(false);
    await page.close();
    await empty.close();
  });

  it('serves the bundle as it is now, and nothing outside it', async () => {
    const manifest = await fetch(`${origin}/bundle/manifest.json`);
    expect(await manifest.text()).toBe(await readFile(join(bundle, 'manifest.json'), 'utf8'));
    const outside = ['..%2ftiny-golden.json', '%2e%2e/tiny-golden.json', '../tiny-golden.json', 'no.onnx'];
    for (const path of outside) expect(await status(`${origin}/bundle/`, path), path).toBe(404);
  });

  it('brings its WebAssembly along', async () => {
    const assets = await readdir(join(folder, 'dist/assets'));
    expect(assets.filter((name) => name.endsWith('.wasm'))).toHaveLength(2);
  });
});

function address(server: PreviewServer): string {
  const at = server.httpServer.address();
  if (!at || typeof at === 'string') throw new Error('internal: the server has no port');
  return `http://127.0.0.1:${at.port}`;
}

/** The answer to a path as it stands; `fetch` would tidy it up first. */
function status(base: string, path: string): Promise<number | undefined> {
  const { hostname, port, pathname } = new URL(base);
  return new Promise((resolve, reject) => {
    get({ hostname, port, path: pathname + path }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on('error', reject);
  });
}

/** Waits for the translation of what was chosen last. */
async function result(page: Page): Promise<void> {
  await page.locator('#stage:not(.busy) .compare.done').waitFor();
}

async function drop(page: Page, { name, bytes }: { name: string; bytes: Buffer }): Promise<void> {
  const transfer = await page.evaluateHandle(
    ({ name, values }) => {
      const data = new DataTransfer();
      data.items.add(new File([Uint8Array.from(values)], name));
      return data;
    },
    { name, values: [...bytes] },
  );
  await page.dispatchEvent('body', 'drop', { dataTransfer: transfer });
}
