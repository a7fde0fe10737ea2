// The demo's page: it shows what it was given, says what the numbers say, and needs nothing else.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { samplesPng } from '@cyclegan/train';
import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { type DemoPageOptions, writeDemoPage } from '../dist/index.js';

const root = mkdtempSync(join(tmpdir(), 'cyclegan-demo-page-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function picture(name: string, grey: number): Promise<string> {
  const path = join(root, `${name}.png`);
  await sharp({
    create: { width: 16, height: 16, channels: 3, background: { r: grey, g: grey, b: grey } },
  }).toFile(path);
  return path;
}

const [input, output, answer] = [
  await picture('in', 0),
  await picture('out', 90),
  await picture('true', 255),
];
const grey = new Float32Array(3 * 16 * 16);
const samples = await Promise.all(
  [1, 20].map(async (step) => {
    const path = join(root, `${step}.png`);
    const images = { realA: grey, fakeB: grey, recA: grey, realB: grey, fakeA: grey, recB: grey };
    await samplesPng({ path, images, count: 1, height: 16, width: 16 });
    return { step, path };
  }),
);

/** `count` icons, the first `won` of which came closer to the answer. */
function direction(from: string, to: string, count: number, won: number) {
  const baseline = { l1: 0.8, psnr: 8, ssim: 0.2, structure: 0.3 };
  const results = Array.from({ length: count }, (_, at) => ({
    name: `${from}-icon-${at}`,
    input,
    output,
    answer,
    baseline,
    metrics:
      at < won
        ? { l1: 0.4, psnr: 14, ssim: 0.6, structure: 0.5 }
        : { l1: 0.9, psnr: 7, ssim: 0.1, structure: 0.2 },
  }));
  return { from, to, results };
}

async function write(options: Partial<DemoPageOptions> = {}): Promise<string> {
  const out = join(root, 'demo', 'index.html');
  await writeDemoPage({
    out,
    metrics: [1, 2, 3].map((step) => ({
      step,
      epoch: 1,
      lr: 2e-4,
      losses: { D_A: 1, G_A: 1, cycle_A: 1, idt_A: 1, D_B: 1, G_B: 1, cycle_B: 1, idt_B: 1 },
      imagesPerSecond: 8,
      elapsed: step,
    })),
    samples,
    directions: [direction('colour', 'ink', 20, 20), direction('ink', 'colour', 20, 15)],
    facts: {
      steps: 900,
      seconds: 248,
      machine: '2 cores',
      parameters: 1_234_567,
      size: 64,
      trainA: 716,
      trainB: 743,
      modelBytes: 7_900_000,
      verify: [{ check: 'A to B: checkpoint ↔ export', difference: 2e-6, allowed: 1e-4 }],
    },
    next: [{ what: 'Open it', command: 'npm run web -- --open "a & b"' }],
    notes: ['Icons: <b>MIT</b>'],
    ...options,
  });
  return readFileSync(out, 'utf8').replaceAll(/\u00a0|&nbsp;/g, ' ');
}

describe('writeDemoPage', () => {
  it('says in its headline and lead what was measured', async () => {
    const html = await write();
    expect(html).toContain('<h1>Colour to ink and back, learnt in 4 min 08 s without a single pair</h1>');
    expect(html).toContain('<b>716 in colour</b>');
    expect(html).toContain(
      'Colour to ink ends <b>50 % closer</b> to the truth than it began, on 20 of 20 icons.',
    );
    expect(html).toContain(
      'Ink to colour ends <b>34 % closer</b> to the truth than it began, on 15 of 20 icons.',
    );
    expect(html).toMatch(/L1<\/b>.*<td>0\.800<\/td><td><b>0\.400<\/b><\/td><td class="good">−0\.400<\/td>/);
    expect(html).toMatch(/PSNR<\/b>.*<td>8\.00<\/td><td><b>12\.25<\/b><\/td><td class="good">\+4\.25<\/td>/);
    expect(html).toContain('1,234,567');
    expect(html).toContain('7.9 MB');
  });

  it('does not claim what the numbers do not say', async () => {
    const html = await write({
      directions: [direction('colour', 'ink', 4, 0), direction('ink', 'colour', 4, 4)],
    });
    expect(html).toContain('after 4 min 08 s of training without a single pair</h1>');
    expect(html).toContain('Colour to ink is on the whole not yet closer');
    expect(html).toMatch(/<td>0\.800<\/td><td><b>0\.900<\/b><\/td><td class="bad">\+0\.100<\/td>/);
    expect(html).not.toContain('NaN');
  });

  it('shows each result once, the first nine at once and the rest folded away', async () => {
    const html = await write();
    for (let at = 0; at < 20; at++) expect(html.split(`<b>colour icon ${at}</b>`)).toHaveLength(2);
    expect(html.match(/<summary>The other 11<\/summary>/g)).toHaveLength(2);
    expect(html.match(/<figure class="triple card">/g)).toHaveLength(40);
    const few = await write({
      directions: [direction('colour', 'ink', 2, 2), direction('ink', 'colour', 1, 1)],
    });
    expect(few.match(/<figure class="triple card">/g)).toHaveLength(3);
    expect(few).not.toContain('<details>');
  });

  it('is self-contained and keeps foreign text as text', async () => {
    const html = await write();
    expect(html.replaceAll('http-equiv', '')).not.toMatch(/https?:|src="(?!data:)|<link/);
    expect(html).toContain('Icons: &#60;b&#62;MIT&#60;/b&#62;');
    expect(html).toContain('data-copy="npm run web -- --open &#34;a &#38; b&#34;"');
    expect([...html.matchAll(/data-step="(\d+)"/g)].map(([, step]) => step)).toEqual(['1', '20']);
  });

  it('marks a stage that differs by more than is allowed', async () => {
    const verify = [{ check: 'broken', difference: 0.2, allowed: 1e-4 }];
    const facts = {
      steps: 1,
      seconds: 1,
      machine: '',
      parameters: 1,
      size: 64,
      trainA: 2,
      trainB: 2,
      modelBytes: 1,
    };
    expect(await write({ facts: { ...facts, verify } })).toMatch(
      /broken<\/td><td>2\.0e-1 <span class="bad">✗/,
    );
  });

  it('says so when a picture cannot be read, and leaves the old page', async () => {
    const old = await write();
    const broken = direction('colour', 'ink', 1, 1);
    broken.results = broken.results.map((result) => ({ ...result, output: join(root, 'none.png') }));
    await expect(write({ directions: [broken, broken] })).rejects.toThrow(/none\.png/);
    expect(readFileSync(join(root, 'demo', 'index.html'), 'utf8').replaceAll(/\u00a0|&nbsp;/g, ' ')).toBe(
      old,
    );
  });
});
