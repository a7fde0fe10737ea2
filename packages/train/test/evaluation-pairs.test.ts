// Which images are evaluated and which belong together, what the metrics are called and which way they are better.
import { describe, expect, it } from 'vitest';
import { betterIs, comparableMetrics, pairFiles } from '../dist/evaluation/index.js';
import { spread } from '../dist/evaluation/picture-set.js';
import { pickGroups } from '../dist/evaluation/ranking.js';

describe('pairFiles', () => {
  it('goes by name, whatever the kind of file and the folder order', () => {
    expect(pairFiles(['x/1.jpg', '2.png'], ['2.webp', 'x/1.png'])).toEqual([
      { a: 'x/1.jpg', b: 'x/1.png' },
      { a: '2.png', b: '2.webp' },
    ]);
  });

  it("takes the reference's endings", () => {
    expect(pairFiles(['10_A.jpg', '9_A.jpg'], ['9_B.jpg', '10_B.jpg'])).toEqual([
      { a: '10_A.jpg', b: '10_B.jpg' },
      { a: '9_A.jpg', b: '9_B.jpg' },
    ]);
  });

  it('names the file that has no partner, or two', () => {
    expect(() => pairFiles(['1.png', '2.png'], ['1.png'])).toThrow(
      /same name as 2\.png in folder A, got none/,
    );
    expect(() => pairFiles(['1.png'], ['1.png', '3.png'])).toThrow(
      /same name as 3\.png in folder B, got none/,
    );
    expect(() => pairFiles(['1.png', '1.jpg'], ['1.png'])).toThrow(/folder A, got 1\.png and 1\.jpg/);
  });
});

describe('spread', () => {
  const files = Array.from({ length: 10 }, (_, at) => at);

  it('takes as many as asked for, from the beginning to the end', () => {
    for (let count = 1; count <= 10; count++) expect(spread(files, count)).toHaveLength(count);
    expect(spread(files, 2)).toEqual([0, 5]);
    expect(spread(files, 4)).toEqual([0, 3, 5, 8]);
  });

  it('takes all of a short list', () => {
    expect(spread(files, 10)).toEqual(files);
    expect(spread(files, 50)).toEqual(files);
  });
});

describe('pickGroups', () => {
  const order = (count: number) => Array.from({ length: count }, (_, at) => at);

  it('takes both ends and the middle', () => {
    expect(pickGroups(order(21))).toEqual([
      [0, 1, 2, 3],
      [9, 10, 11, 12],
      [17, 18, 19, 20],
    ]);
    expect(pickGroups(order(3))).toEqual([[0], [1], [2]]);
  });

  it('shows none twice', () => {
    for (let count = 1; count <= 14; count++) {
      const shown = pickGroups(order(count)).flat();
      expect(new Set(shown).size).toBe(shown.length);
    }
    expect(pickGroups(order(1))).toEqual([[0], [], []]);
    expect(pickGroups(order(2))).toEqual([[0], [], [1]]);
  });
});

describe('betterIs', () => {
  it('knows every metric that checkpoints may be compared by', () => {
    expect(comparableMetrics).toContain('cycle_A');
    expect(comparableMetrics).toContain('fid_BtoA');
    expect(comparableMetrics).not.toContain('change_AtoB');
    const higher = comparableMetrics.filter((metric) => betterIs(metric) === 'higher');
    expect(higher).toEqual([
      'psnr_AtoB',
      'psnr_BtoA',
      'ssim_AtoB',
      'ssim_BtoA',
      'structure_AtoB',
      'structure_BtoA',
    ]);
  });

  it.each(['change_AtoB', 'fid', 'cycle_AtoB', 'nonsense_A', 'toString'])('refuses %s', (metric) => {
    expect(() => betterIs(metric)).toThrow(`expected one of l1_AtoB, l1_BtoA`);
  });
});
