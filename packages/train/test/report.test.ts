// The run folder's page, its curves and its sample pictures.

import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeAtomic } from '@cyclegan/model';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import {
  duration,
  lossCharts,
  type MetricsLine,
  readMetrics,
  samplesPng,
  writeReport,
} from '../dist/report/index.js';
import { temporaryFolder } from './temp-folder.js';

const root = temporaryFolder();

function line(step: number, losses: Partial<MetricsLine['losses']> = {}): MetricsLine {
  const all = { D_A: 0.2, G_A: 0.4, cycle_A: 2, idt_A: 1, D_B: 0.3, G_B: 0.5, cycle_B: 3, idt_B: 1 };
  return { step, epoch: 1, lr: 2e-4, losses: { ...all, ...losses }, imagesPerSecond: 8, elapsed: step / 4 };
}

const tensor = (value: (item: number, channel: number) => number) =>
  Float32Array.from({ length: 2 * 3 * 4 }, (_, at) => value(Math.floor(at / 12), Math.floor(at / 4) % 3));

/** Two rows of 2 × 2 images; real A is red above and black below, the others are grey. */
const samples = (path: string) => {
  const grey = tensor(() => 0);
  const realA = tensor((item, channel) => (item === 0 && channel === 0 ? 1.7 : -1));
  const images = { realA, fakeB: grey, recA: grey, realB: grey, fakeA: grey, recB: grey };
  return samplesPng({ path, images, count: 2, size: 2, gap: 1 });
};

function runFolder(name: string, metrics: string): string {
  const run = join(root, name);
  mkdirSync(join(run, 'samples'), { recursive: true });
  writeFileSync(
    join(run, 'config.json'),
    JSON.stringify({ a: '<script>alert("a")</script>', betas: [0.5, 0.999] }),
  );
  writeFileSync(join(run, 'metrics.jsonl'), metrics);
  return run;
}

describe('samplesPng', () => {
  it('draws rows of six images with transparent gaps', async () => {
    const path = join(root, 'pictures', 'one.png');
    await samples(path);
    const { data, info } = await sharp(path).raw().toBuffer({ resolveWithObject: true });
    expect([info.width, info.height, info.channels]).toEqual([17, 5, 4]);
    const at = (x: number, y: number) => [...data.subarray(4 * (y * 17 + x), 4 * (y * 17 + x) + 4)];
    expect(at(1, 1)).toEqual([255, 0, 0, 255]);
    expect(at(0, 4)).toEqual([0, 0, 0, 255]);
    expect(at(3, 0)).toEqual([128, 128, 128, 255]);
    expect(at(16, 4)).toEqual([128, 128, 128, 255]);
    expect([at(2, 0)[3], at(0, 2)[3]]).toEqual([0, 0]);
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

describe('readMetrics', () => {
  it('leaves out what is no record, as a killed run may leave it', async () => {
    const run = runFolder('killed', `${JSON.stringify(line(10, { G_A: null }))}\nnonsense\n{"step":20,"ep`);
    expect(await readMetrics(join(run, 'metrics.jsonl'))).toEqual([line(10, { G_A: null })]);
    await expect(readMetrics(join(root, 'none.jsonl'))).rejects.toMatchObject({ code: 'run' });
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

  it('keeps a long run small and breaks the line at values that are missing', () => {
    const long = Array.from({ length: 20_000 }, (_, at) => line(at + 1, at === 10_000 ? { D_A: null } : {}));
    const html = lossCharts(long);
    expect(html.length).toBeLessThan(200_000);
    const gap = lossCharts([line(1), line(2, { D_A: null }), line(3)]);
    expect(gap).toMatch(/class="raw" d="M0\.0 [\d.]+M1000\.0 [\d.]+"/);
  });

  it('leaves out losses that the run does not have', () => {
    const html = lossCharts([1, 2, 3].map((step) => line(step, { idt_A: 0, idt_B: 0 })));
    expect(titles(html)).not.toContain('Identity');
    expect(lossCharts([line(1)])).toContain('No curves yet');
  });
});

describe('writeReport', () => {
  it('writes one self-contained page in which foreign text stays text', async () => {
    const run = runFolder('done', [1, 2, 3].map((step) => JSON.stringify(line(step))).join('\n'));
    for (const step of [1, 2, 10])
      await samples(join(run, 'samples', `${String(step).padStart(6, '0')}.png`));
    writeFileSync(join(run, 'samples', 'notes.txt'), 'not a sample');
    const page = await writeReport({ run });
    const html = readFileSync(page, 'utf8');
    expect(page).toBe(join(run, 'report.html'));
    expect(html).not.toContain('<script>alert');
    expect(html).toContain('&#60;script&#62;alert');
    expect([...html.matchAll(/data-step="(\d+)"/g)].map(([, step]) => step)).toEqual(['1', '2', '10']);
    expect(html.replaceAll('http-equiv', '')).not.toMatch(/https?:|src="(?!data:)|<link/);
    const script = /<script>([\s\S]*)<\/script>\s*<\/body>/.exec(html)?.[1] ?? '';
    expect(html).toContain(`script-src 'sha256-${createHash('sha256').update(script).digest('base64')}'`);
  });

  it('stays below ten megabytes however many and large the samples are', async () => {
    const run = runFolder('large', JSON.stringify(line(1)));
    const noise = { type: 'gaussian' as const, mean: 128, sigma: 30 };
    const create = { width: 400, height: 300, channels: 3 as const, background: '#000', noise };
    const png = await sharp({ create }).png({ compressionLevel: 0 }).toBuffer();
    for (let step = 1; step <= 60; step++) writeFileSync(join(run, 'samples', `${step}.png`), png);
    const page = await writeReport({ run });
    expect(statSync(page).size).toBeLessThan(10_000_000);
    const steps = [...readFileSync(page, 'utf8').matchAll(/data-step="(\d+)"/g)].map(([, step]) =>
      Number(step),
    );
    expect([steps.length, steps[0], steps.at(-1)]).toEqual([24, 1, 60]);
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
