// The run folder's page, its curves, its samples and what it says of a run.

import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeAtomic } from '@cyclegan/model';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { duration, lossCharts, samplesPng, writeReport } from '../dist/report/index.js';
import { chooseSamples } from '../dist/report/samples.js';
import { config, evaluation, grey, line, runFolder } from './support/run-folder.ts';
import { temporaryFolder } from './temp-folder.js';

const root = temporaryFolder();

const tensor = (value: (item: number, channel: number) => number) =>
  Float32Array.from({ length: 2 * 3 * 6 }, (_, at) => value(Math.floor(at / 18), Math.floor(at / 6) % 3));

/** Two rows of images 3 wide and 2 high; real A is red above and black below, those of B have one channel. */
const samples = (path: string) => {
  const rgb = tensor(() => 0);
  const realA = tensor((item, channel) => (item === 0 && channel === 0 ? 1.7 : -1));
  const light = new Float32Array(2 * 6).fill(0.5);
  const images = { realA, fakeB: light, recA: rgb, realB: light, fakeA: rgb, recB: light };
  return samplesPng({ path, images, count: 2, height: 2, width: 3, gap: 1 });
};

const page = async (run: string) => readFileSync(await writeReport({ run }), 'utf8');
/** Of an element in the page, its text. */
const text = (html: string) =>
  html
    .replaceAll(/<script[\s\S]*?<\/script>|<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
const sectionOf = (html: string, id: string) =>
  new RegExp(`<section id="${id}"[^>]*>([\\s\\S]*?)</section>`).exec(html)?.[1] ?? '';

describe('samplesPng', () => {
  it('draws rows of six images with transparent gaps, grey ones too', async () => {
    const path = join(root, 'pictures', 'one.png');
    const bytes = await samples(path);
    expect(readFileSync(path)).toEqual(bytes);
    const { data, info } = await sharp(path).raw().toBuffer({ resolveWithObject: true });
    expect([info.width, info.height, info.channels]).toEqual([23, 5, 4]);
    const at = (x: number, y: number) => [...data.subarray(4 * (y * 23 + x), 4 * (y * 23 + x) + 4)];
    expect(at(2, 1)).toEqual([255, 0, 0, 255]);
    expect(at(0, 4)).toEqual([0, 0, 0, 255]);
    expect(at(4, 0)).toEqual([191, 191, 191, 255]);
    expect(at(8, 0)).toEqual([128, 128, 128, 255]);
    expect(at(22, 4)).toEqual([191, 191, 191, 255]);
    expect([at(3, 0)[3], at(0, 2)[3]]).toEqual([0, 0]);
    expect(readdirSync(join(root, 'pictures'))).toEqual(['one.png']);
  });

  it('says which place cannot be written, and leaves nothing behind', async () => {
    writeFileSync(join(root, 'file'), '');
    await expect(samples(join(root, 'file', 'one.png'))).rejects.toMatchObject({ code: 'output' });
    mkdirSync(join(root, 'taken', 'folder.txt'), { recursive: true });
    const taken = writeAtomic(join(root, 'taken', 'folder.txt'), 'text');
    await expect(taken).rejects.toThrow(/expected a place that can be written/);
    expect(readdirSync(join(root, 'taken'))).toEqual(['folder.txt']);
  });
});

describe('lossCharts', () => {
  const titles = (html: string) => [...html.matchAll(/<h3>(.*?)<\/h3>/g)].map(([, title]) => title);

  it('draws each loss, faint as logged and bold smoothed', () => {
    const html = lossCharts(Array.from({ length: 50 }, (_, at) => line(at + 1)));
    expect(titles(html)).toHaveLength(6);
    expect(html.match(/class="smooth"/g)).toHaveLength(10);
    expect(html.match(/class="raw"/g)).toHaveLength(9);
    for (const name of Object.keys(line(1).losses)) expect(html).toContain(`${name} <b`);
    expect(html).not.toContain('NaN');
  });

  it('smooths without bias, and shows the last value', () => {
    const html = lossCharts(Array.from({ length: 300 }, (_, at) => line(at + 1, { cycle_A: 5 })));
    expect(html).toMatch(/cycle_A <b data-value="0">5<\/b>/);
  });

  it('keeps a long run small, and in it the spikes', () => {
    const long = Array.from({ length: 20_000 }, (_, at) =>
      line(at + 1, at === 10_007 ? { cycle_A: 3.1 } : {}),
    );
    const html = lossCharts(long);
    expect(html.length).toBeLessThan(250_000);
    const [first = ''] = /class="raw" d="[^"]*"/.exec(html) ?? [];
    const heights = [...first.matchAll(/ ([-\d.]+)(?=[ML"])/g)].map(([, y]) => Number(y));
    expect(heights.filter((y) => y < Math.max(...heights))).toHaveLength(1);
  });

  it('breaks the line at values that are missing', () => {
    const gap = lossCharts([line(1), line(2, { D_A: null }), line(3)]);
    expect(gap).toMatch(/class="raw" d="M0 [\d.]+M1000 [\d.]+"/);
  });

  it('leaves out losses that the run does not have', () => {
    const html = lossCharts([1, 2, 3].map((step) => line(step, { idt_A: 0, idt_B: 0 })));
    expect(titles(html)).not.toContain('Identity');
    expect(lossCharts([line(1)])).toContain('No curves yet');
  });
});

describe('chooseSamples', () => {
  const chosen = (count: number, most: number) =>
    chooseSamples(
      Array.from({ length: count }, (_, step) => ({ step, path: '' })),
      most,
    ).map(({ step }) => step);

  it('keeps the first, the last, and evenly between', () => {
    expect(chosen(0, 4)).toEqual([]);
    expect(chosen(4, 4)).toEqual([0, 1, 2, 3]);
    expect(chosen(6, 4)).toEqual([0, 2, 4, 5]);
    expect(chosen(500, 24)).toEqual([...Array.from({ length: 16 }, (_, at) => 32 * at), 499]);
  });

  it('never shows again what it has left out', () => {
    let gone = new Set<number>();
    for (let count = 1; count < 100; count++) {
      const now = chosen(count, 24);
      expect(now.length).toBeLessThanOrEqual(24);
      for (const step of now.slice(0, -1)) expect(gone.has(step)).toBe(false);
      gone = new Set(
        Array.from({ length: count - 1 }, (_, step) => step).filter((step) => !now.includes(step)),
      );
    }
  });
});

describe('writeReport', () => {
  it('writes one self-contained page in which foreign text stays text', async () => {
    const run = await runFolder(root, 'done', {
      config: { ...config, a: '<script>alert("a")</script>' },
      lines: [1, 2, 3].map((step) => line(step)),
      samples: [1, 2, 10],
    });
    writeFileSync(join(run, 'samples', 'notes.txt'), 'not a sample');
    const html = await page(run);
    expect(html).not.toContain('<script>alert');
    expect(html).toContain('&#60;script&#62;alert');
    expect([...html.matchAll(/data-step="(\d+)"/g)].map(([, step]) => step)).toEqual(['1', '2', '10']);
    expect(html.replaceAll('http-equiv', '')).not.toMatch(/https?:|src="|url\('(?!data:)|<link/);
    const script = /<script>([\s\S]*)<\/script>\s*<\/body>/.exec(html)?.[1] ?? '';
    expect(html).toContain(`script-src 'sha256-${createHash('sha256').update(script).digest('base64')}'`);
  });

  it('says how far the run is, how fast, and how long it will take', async () => {
    const lines = Array.from({ length: 100 }, (_, at) => ({ ...line(at + 1), dataWait: 0.031 }));
    // The last tenth at half the pace.
    for (const [at, one] of lines.slice(90).entries()) one.elapsed = 22.5 + (at + 1) / 2;
    const run = await runFolder(root, 'fast', { config: { ...config, steps: 400 }, lines });
    const head = text(sectionOf(await page(run), 'head')).replaceAll('\u00a0', ' ');
    expect(head).toMatch(/Step 100 of 400/);
    expect(head).toMatch(/Trained for 28 s/);
    expect(head).toMatch(/Time left at this pace 2 min 30 s/);
    expect(head).toMatch(/Seconds a step 0.5/);
    expect(head).toMatch(/Waiting for images 3.1 %/);
  });

  it('says what was measured on held-out images, and which checkpoint is the best', async () => {
    const lines = [
      line(10),
      evaluation(10, { psnr_AtoB: 8, psnr_BtoA: 7.5, cycle_A: 0.5 }, true),
      line(20),
      evaluation(20, { psnr_AtoB: 12, psnr_BtoA: 11, cycle_A: 0.25 }, true),
      line(30),
      evaluation(30, { psnr_AtoB: 11, psnr_BtoA: 10, cycle_A: 0.2 }, false),
    ];
    const run = await runFolder(root, 'measured', { lines });
    const html = sectionOf(await page(run), 'evaluation');
    expect(text(html)).toContain('the checkpoint of step 20 , by PSNR, A → B');
    expect(text(html)).toContain('Metric First step 10 Best step 20 Latest step 30');
    expect(text(html)).toContain('PSNR, B → A 7.5 11 10');
    expect(text(html)).toContain('Cycle, A 0.5 0.25 0.2');
    expect(html.match(/<i class="dot [ab]" style="left:50.0%/g)).toHaveLength(3);
    const none = await runFolder(root, 'unmeasured', { lines: [line(10)] });
    expect(sectionOf(await page(none), 'evaluation')).toBe('');
  });

  it('shows settings in words and groups, unknown ones by their name, and no whole path', async () => {
    const settings = {
      ...config,
      a: '/home/somebody/pictures/horses/trainA',
      maxImages: null,
      flip: true,
      dazzleEvery: 7,
    };
    const run = await runFolder(root, 'settings', { config: settings, lines: [line(1)] });
    const html = await page(run);
    expect(html).not.toContain('somebody');
    const words = text(sectionOf(html, 'settings'));
    expect(words).toContain('Data Images of A …/horses/trainA');
    expect(words).toContain('Random mirroring yes');
    expect(words).not.toContain('Images used at most');
    expect(words).toContain('More Dazzle every 7');
  });

  it('counts the parameters of all four networks', async () => {
    const networks = {
      generator: { kind: 'resnet', blocks: 9, ngf: 64, inputChannels: 3, outputChannels: 3 },
      discriminator: { kind: 'patch', ndf: 64, layers: 3 },
    };
    const run = await runFolder(root, 'networks', { config: { ...config, networks }, lines: [line(1)] });
    const words = text(sectionOf(await page(run), 'networks'));
    expect(words).toMatch(/G_B B → A ResNet, 9 blocks, width 64, instance norm 11,378,179 45.5 MB/);
    expect(words).toMatch(/D_A judges B PatchGAN, 3 layers, width 64, instance norm 2,764,737 11.1 MB/);
    expect(words).toMatch(/All 28,285,832/);
  });

  it('stays below ten megabytes however many and large the samples are', async () => {
    const run = await runFolder(root, 'large', { lines: [line(1)] });
    const noise = { type: 'gaussian' as const, mean: 128, sigma: 30 };
    const create = { width: 400, height: 300, channels: 3 as const, background: '#000', noise };
    const png = await sharp({ create }).png({ compressionLevel: 0 }).toBuffer();
    for (let step = 1; step <= 60; step++) writeFileSync(join(run, 'samples', `${step}.png`), png);
    const html = await page(run);
    expect(html.length).toBeLessThan(10_000_000);
    const steps = [...html.matchAll(/data-step="(\d+)"/g)].map(([, step]) => Number(step));
    expect([steps.length, steps[0], steps.at(-1)]).toEqual([16, 1, 60]);
  });

  it('shows a sample anew that was written anew, and is itself replaced whole', async () => {
    const run = await runFolder(root, 'again', { lines: [line(1)], samples: [1] });
    const first = await page(run);
    const path = join(run, 'samples', '000001.png');
    await grey(path, 200);
    utimesSync(path, new Date(), new Date(Date.now() + 5000));
    const second = await page(run);
    const picture = (html: string) => /url\('([^']*)'\)/.exec(html)?.[1];
    expect(picture(second)).not.toBe(picture(first));
    expect(readdirSync(run).filter((name) => name.startsWith('.'))).toEqual([]);
    expect(statSync(join(run, 'report.html')).size).toBe(Buffer.byteLength(second));
  });

  it('says so when a folder is no run', async () => {
    await expect(writeReport({ run: join(root, 'nowhere') })).rejects.toMatchObject({
      code: 'run',
      message: expect.stringMatching(/expected the config of a run/),
    });
  });
});

describe('duration', () => {
  it('says seconds as people do', () => {
    const said = [48.2, 59.7, 248, 7530].map((seconds) => duration(seconds).replaceAll('\u00a0', ' '));
    expect(said).toEqual(['48 s', '1 min 00 s', '4 min 08 s', '2 h 05 min']);
  });
});
