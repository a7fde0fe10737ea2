// The contact sheet: which images it shows, in what order, and where they stand in the picture.
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { contactSheet, type PictureSet, type SheetSection, sheetSections } from '../dist/evaluation/index.js';
import { temporaryFolder } from './temp-folder.js';

const root = temporaryFolder();
const shape = { channels: 3, height: 4, width: 4 };
/** One image of one grey. */
const grey = (value: number) => new Float32Array(48).fill(value);

function set(values: readonly number[], name: string): PictureSet {
  return {
    count: values.length,
    shape,
    name: (index) => `${name}${index}`,
    read: async ([index = 0]) => grey(values[index] ?? 0),
  };
}

const scores = [0.5, 0.1, 0.9, 0.3, 0.7];
const sets = { A: set([0, 0.1, 0.2, 0.3, 0.4], 'a'), B: set([0, -0.1, -0.2, -0.3, -0.4], 'b') };
const translate = {
  AtoB: async (images: Float32Array) => images.map((value) => -value),
  BtoA: async (images: Float32Array) => images.map((value) => value / 2),
};

describe('sheetSections', () => {
  const shown = (sections: readonly SheetSection[]) =>
    sections.map(({ title, columns, groups }) => ({
      title,
      columns,
      groups: groups.map((group) => [
        group.title,
        ...group.rows.map(({ name, value }) => `${name} ${value}`),
      ]),
    }));

  it('ranks by L1 where there are answers, and shows them', async () => {
    const images = { AtoB: scores.map((l1, at) => ({ l1, cycle: at, change: 1 })) };
    const sections = await sheetSections({ images }, { sets, paired: true, translate });
    expect(shown(sections)).toEqual([
      {
        title: 'AtoB, 5 images by L1',
        columns: ['input', 'translated', 'back', 'answer'],
        groups: [
          ['best', 'a1 L1 0.1000'],
          ['median', 'a0 L1 0.5000'],
          ['worst', 'a2 L1 0.9000'],
        ],
      },
    ]);
    const [best] = sections[0]?.groups[0]?.rows ?? [];
    expect(best?.images.map(({ data }) => Number(data[0]?.toFixed(3)))).toEqual([0.1, -0.1, -0.05, -0.1]);
  });

  it('ranks by the cycle, else by the change, and calls that no judgement', async () => {
    const cycle = { BtoA: scores.map((value) => ({ cycle: value, change: 1 })) };
    const [byCycle] = shown(await sheetSections({ images: cycle }, { sets, paired: false, translate }));
    expect(byCycle?.columns).toEqual(['input', 'translated', 'back']);
    expect(byCycle?.groups[2]).toEqual(['worst', 'b2 cycle 0.9000']);
    const change = { AtoB: scores.map((value) => ({ change: value })) };
    const one = { AtoB: translate.AtoB };
    const [byChange] = shown(
      await sheetSections({ images: change }, { sets, paired: false, translate: one }),
    );
    expect(byChange?.columns).toEqual(['input', 'translated']);
    expect(byChange?.groups[0]).toEqual(['least changed', 'a1 change 0.1000']);
  });
});

describe('contactSheet', () => {
  const image = (value: number, of = shape) => ({
    data: new Float32Array(of.channels * of.height * of.width).fill(value),
    shape: of,
  });
  const section: SheetSection = {
    title: 'AtoB <b>',
    columns: ['input', 'translated'],
    groups: [
      { title: 'best', rows: [{ name: 'one & only.png', value: 'L1 0.1', images: [image(-1), image(0)] }] },
      {
        title: 'worst',
        rows: [
          {
            name: `${'long/'.repeat(30)}two.png`,
            value: 'L1 0.9',
            images: [image(1), image(-1, { channels: 1, height: 300, width: 150 })],
          },
        ],
      },
    ],
  };

  it('draws groups side by side, each image in its cell', async () => {
    const path = join(root, 'sheets', 'sheet.png');
    await contactSheet({ path, sections: [section] });
    const { data, info } = await sharp(path).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    // Two groups of two cells of 128 with gaps of 4, 36 between the groups, 28 around.
    expect(info.width).toBe(2 * 28 + 2 * (2 * 128 + 4) + 36);
    const at = (x: number, y: number) => [
      ...data.subarray(3 * (y * info.width + x), 3 * (y * info.width + x) + 3),
    ];
    const middle = 28 + 34 + 26 + 20 + 64;
    const columns = [0, 132, 296, 428].map((left) => 28 + left + 64);
    expect(columns.map((x) => at(x, middle))).toEqual([
      [0, 0, 0],
      [128, 128, 128],
      [255, 255, 255],
      [0, 0, 0],
    ]);
    // A tall image stands in the middle of its cell, on white.
    expect(at(28 + 428 + 10, middle)).toEqual([255, 255, 255]);
    expect(readdirSync(join(root, 'sheets'))).toEqual(['sheet.png']);
  });

  it('stacks directions', async () => {
    const [one, two] = [join(root, 'one.png'), join(root, 'two.png')];
    await contactSheet({ path: one, sections: [section] });
    await contactSheet({ path: two, sections: [section, section] });
    const [{ height: single = 0 }, { height: both = 0 }] = await Promise.all([
      sharp(one).metadata(),
      sharp(two).metadata(),
    ]);
    expect(both).toBe(2 * single - 2 * 28 + 26);
  });

  it('says which place cannot be written', async () => {
    writeFileSync(join(root, 'file'), '');
    const sheet = contactSheet({ path: join(root, 'file', 'sheet.png'), sections: [section] });
    await expect(sheet).rejects.toMatchObject({ code: 'output' });
  });
});
