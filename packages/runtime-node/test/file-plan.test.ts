/** Which files are meant by names, folders and patterns, and where each translation goes; no image is read. */
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { planFiles } from '../dist/files/plan.js';
import { temporaryFolder } from './support.ts';

let root = '';
const before = process.cwd();
beforeEach(() => {
  root = temporaryFolder();
  process.chdir(root);
});
afterEach(() => process.chdir(before));

function files(...names: string[]): void {
  for (const name of names) {
    mkdirSync(dirname(name), { recursive: true });
    writeFileSync(name, '');
  }
}

async function plan(...inputs: string[]): Promise<string[]> {
  return (await planFiles({ inputs, out: 'out' })).map(({ input, name }) => `${input} > ${name}`);
}

describe('patterns', () => {
  beforeEach(() => files('p/a.jpg', 'p/b.PNG', 'p/deep/c.jpg', 'p/deep/er/d.webp', 'p/notes.txt', 'q/e.jpg'));

  it.each([
    ['p/*.jpg', ['p/a.jpg > a.jpg']],
    [
      './p/*',
      [
        'p/a.jpg > a.jpg',
        'p/b.PNG > b.PNG',
        'p/deep/c.jpg > deep/c.jpg',
        'p/deep/er/d.webp > deep/er/d.webp',
      ],
    ],
    ['p/**/*.jpg', ['p/a.jpg > a.jpg', 'p/deep/c.jpg > deep/c.jpg']],
    ['*/*.jpg', ['p/a.jpg > p/a.jpg', 'q/e.jpg > q/e.jpg']],
    ['{p/deep,q}/*.jpg', ['p/deep/c.jpg > p/deep/c.jpg', 'q/e.jpg > q/e.jpg']],
    ['p/[ab].*', ['p/a.jpg > a.jpg', 'p/b.PNG > b.PNG']],
    ['[pq]/@(a|e).jpg', ['p/a.jpg > p/a.jpg', 'q/e.jpg > q/e.jpg']],
  ])('%s', async (pattern, found) => {
    expect(await plan(pattern)).toEqual(found);
  });

  it('from the root of the file system', async () => {
    expect(
      (await planFiles({ inputs: [join(root, 'p', '?.jpg')], out: 'out' })).map(({ name }) => name),
    ).toEqual(['a.jpg']);
  });

  it.each(['p/*.gif', 'nowhere/*.jpg', '*.jpg', 'p/*.txt'])(
    '%s matches nothing, in one sentence',
    async (pattern) => {
      await expect(plan(pattern)).rejects.toMatchObject({
        code: 'input',
        message: `[translate] ${pattern}: expected a pattern that matches images, got none. Check the path.`,
      });
    },
  );

  it('what exists under a name is that', async () => {
    files('p/[ab].jpg', 'p/*.jpg', '{p,q}/x.jpg');
    expect(await plan('p/[ab].jpg')).toEqual(['p/[ab].jpg > [ab].jpg']);
    expect(await plan('p/*.jpg')).toEqual(['p/*.jpg > *.jpg']);
    expect(await plan('{p,q}')).toEqual(['{p,q}/x.jpg > x.jpg']);
  });
});

it('hidden files and folders are passed over, unless they are named', async () => {
  files('p/.hidden.jpg', 'p/.cache/a.jpg', 'p/b.jpg');
  expect(await plan('p')).toEqual(['p/b.jpg > b.jpg']);
  expect(await plan('p/**/*')).toEqual(['p/b.jpg > b.jpg']);
  expect(await plan('p/.cache', 'p/.hidden.jpg')).toEqual([
    'p/.cache/a.jpg > a.jpg',
    'p/.hidden.jpg > .hidden.jpg',
  ]);
});

it('links to files are files, to folders are not followed, and a loop ends', async () => {
  files('p/a.jpg', 'elsewhere/b.jpg');
  symlinkSync('..', 'p/loop.jpg');
  symlinkSync('../elsewhere', 'p/folder');
  symlinkSync('../elsewhere/b.jpg', 'p/link.jpg');
  symlinkSync('nowhere', 'p/broken.jpg');
  expect(await plan('p')).toEqual(['p/a.jpg > a.jpg', 'p/broken.jpg > broken.jpg', 'p/link.jpg > link.jpg']);
});

it('equal names are numbered alike each time, and what is named twice is taken once', async () => {
  files('p/x.jpg', 'q/X.jpg', 'q/y.bmp', 'p/y.png', 'p/clip.avi', 'q/clip.MP4');
  const planned = ['p', 'q', 'p/x.jpg', './q'];
  const expected = [
    ...['p/clip.avi > clip.mkv', 'p/x.jpg > x.jpg', 'p/y.png > y.png'],
    ...['q/X.jpg > X-2.jpg', 'q/clip.MP4 > clip.MP4', 'q/y.bmp > y-2.png'],
  ];
  expect(await plan(...planned)).toEqual(expected);
  expect(await plan(...planned)).toEqual(expected);
});

it('without a folder all names are flat', async () => {
  files('p/x.jpg', 'p/deep/x.png');
  const jobs = await planFiles({ inputs: ['p'], format: 'jpg' });
  expect(jobs.map(({ name }) => name)).toEqual(['x.jpg', 'x-2.jpg']);
});

it('an input is never replaced, by whatever name it is reached', async () => {
  files('p/a.jpg', 'real/b.jpg');
  symlinkSync('../real/b.jpg', 'p/b.jpg');
  symlinkSync('p', 'alias');
  for (const out of ['p', 'alias', 'real']) {
    await expect(planFiles({ inputs: ['p'], out })).rejects.toMatchObject({ code: 'output' });
  }
  renameSync('p/b.jpg', 'p/c.jpg');
  expect(await planFiles({ inputs: ['p'], out: 'real' })).toHaveLength(2);
  expect(await planFiles({ inputs: ['p'], out: 'p', format: 'webp' })).toHaveLength(2);
});

it('the folder for the results is not searched, also through a link', async () => {
  files('p/a.jpg', 'p/out/old.jpg');
  symlinkSync('p/out', 'results');
  for (const out of ['p/out', 'results']) {
    expect(await planFiles({ inputs: ['p'], out })).toEqual([{ input: 'p/a.jpg', name: 'a.jpg' }]);
  }
});
