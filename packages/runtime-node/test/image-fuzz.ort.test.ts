/**
 * Damaged, hostile and oversized image files: each gives an image or one sentence, and the process lives on in the
 * memory that it had. Seeded, so that a failure can be run again.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateSync, gzipSync } from 'node:zlib';
import { createTranslator, readPixels, translateImage } from '@cyclegan/runtime-node';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, it, onTestFinished } from 'vitest';
import { animation, phonePhoto, withMetadata } from './image-files.ts';
import { plain, temporaryFolder, tinyBundle } from './support.ts';

const CASES = 5000;
/** Of which so many go on through the model. */
const TRANSLATED = 400;
const MAX_GROWTH = 200e6;

/** Mulberry32: the same numbers on every machine. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** One file of every kind that is read, in the variants whose code differs. */
async function seeds(): Promise<[string, Buffer][]> {
  const below = createRandom(1);
  const noise = Uint8Array.from({ length: 24 * 16 * 3 }, () => below(256));
  const image = () => sharp(noise, { raw: { width: 24, height: 16, channels: 3 } });
  const p3 = () => image().withIccProfile('p3');
  const frames = {
    colours: [
      [200, 9, 9],
      [9, 200, 9],
      [9, 9, 200],
    ] as [number, number, number][],
    delay: [90, 50, 20],
    loop: 2,
  };
  const pipelines: [string, Sharp][] = [
    ['progressive JPEG', image().jpeg({ progressive: true })],
    ['palette PNG', image().png({ palette: true, progressive: true })],
    ['16-bit PNG', image().toColourspace('rgb16').png()],
    ['lossless WebP', image().webp({ lossless: true })],
    [
      'LZW TIFF',
      image().tiff({ compression: 'lzw', tile: true, tileWidth: 16, tileHeight: 16, pyramid: true }),
    ],
    ['JPEG TIFF', image().tiff({ compression: 'jpeg' })],
    ['CMYK TIFF', image().toColourspace('cmyk').tiff({ compression: 'none' })],
    ['float TIFF', image().toColourspace('scrgb').tiff({ compression: 'none', predictor: 'float' })],
    ['10-bit AVIF', image().avif({ effort: 0, bitdepth: 10 })],
  ];
  const plainly = await Promise.all(
    pipelines.map(async ([kind, pipeline]): Promise<[string, Buffer]> => [kind, await pipeline.toBuffer()]),
  );
  const { photo } = await phonePhoto();
  return [
    ...plainly,
    ['photo', photo],
    ['JPEG', await withMetadata(p3(), 'jpeg')],
    ['PNG', await withMetadata(p3().ensureAlpha(0.5), 'png')],
    ['WebP', await withMetadata(p3().ensureAlpha(0.5), 'webp')],
    ['TIFF', await withMetadata(p3(), 'tiff')],
    ['AVIF', await withMetadata(p3().ensureAlpha(0.5), 'avif')],
    ['GIF animation', await animation('gif', frames)],
    ['WebP animation', await animation('webp', frames)],
  ];
}

type Mutation = (file: Buffer, below: (n: number) => number, other: Buffer) => Buffer;

const MUTATIONS: Mutation[] = [
  function flipBits(file, below) {
    for (let i = below(8); i >= 0; i -= 1) {
      const at = below(file.length);
      file[at] = (file[at] ?? 0) ^ (1 << below(8));
    }
    return file;
  },
  function truncate(file, below) {
    return file.subarray(0, below(file.length));
  },
  function changeHeader(file, below) {
    for (let i = below(4); i >= 0; i -= 1) file[below(Math.min(96, file.length))] = below(256);
    return file;
  },
  function hugeNumber(file, below) {
    const numbers = [0xffffffff, 0x7fffffff, 0x80000000, 0, 1, 100_000];
    file.writeUInt32BE(numbers[below(numbers.length)] ?? 0, below(file.length - 4));
    return file;
  },
  function repeat(file, below) {
    const [from, at] = [below(file.length), below(file.length)];
    return Buffer.concat([file.subarray(0, at), file.subarray(from, from + below(64)), file.subarray(at)]);
  },
  function cutOut(file, below) {
    const at = below(file.length);
    return Buffer.concat([file.subarray(0, at), file.subarray(at + below(64))]);
  },
  function noiseInside(file, below) {
    const at = below(file.length - 32);
    for (let i = 0; i < 32; i += 1) file[at + i] = below(256);
    return file;
  },
  function joinTwo(file, below, other) {
    return Buffer.concat([file.subarray(0, below(file.length)), other.subarray(below(other.length))]);
  },
  function noiseAlone(file, below) {
    return Buffer.from(Array.from({ length: below(file.length) }, () => below(256)));
  },
];

async function assertOneSentence(work: Promise<unknown>, what: string): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    expect(error, what).toMatchObject({ name: 'CycleganError', code: 'input' });
    expect(String(error), what).not.toMatch(/\n|internal:/);
    return false;
  }
}

describe('readers', () => {
  it(`${CASES} damaged files give an image or one sentence, in bounded memory`, {
    timeout: 120_000,
  }, async () => {
    const files = await seeds();
    const translator = await createTranslator(tinyBundle, { device: 'cpu', threads: 1 });
    onTestFinished(() => translator.dispose());
    // A size that grew by chance is translated for seconds; a limit below it is what a server has.
    const options = { maxPixels: 10_000, metadata: 'keep', profile: 'keep' } as const;
    for (const [, file] of files) await translateImage(translator, file, options);
    const before = process.memoryUsage().rss;
    let read = 0;
    for (let seed = 0; seed < CASES; seed += 1) {
      const below = createRandom(seed);
      const [kind, file] = files[seed % files.length] ?? ['', Buffer.alloc(0)];
      const [, other] = files[below(files.length)] ?? ['', file];
      const mutate = MUTATIONS[below(MUTATIONS.length)] ?? ((same: Buffer) => same);
      const bytes = mutate(Buffer.from(file), below, other);
      const what = `${kind}, ${mutate.name}, seed ${seed}`;
      const work = seed < TRANSLATED ? translateImage(translator, bytes, options) : readPixels(bytes);
      if (await assertOneSentence(work, what)) read += 1;
    }
    // Some damage is harmless: a test in which nothing or everything passes tests nothing.
    expect(read).toBeGreaterThan(CASES / 10);
    expect(read).toBeLessThan(CASES * 0.9);
    expect(process.memoryUsage().rss - before).toBeLessThan(MAX_GROWTH);
  });
});

/** A PNG of 24x16 with a chunk more, before its pixels. */
async function pngWith(type: string, body: Buffer): Promise<Buffer> {
  const png = await plain(24, 16).png().toBuffer();
  const chunk = Buffer.concat([Buffer.alloc(4), Buffer.from(type), body, Buffer.alloc(4)]);
  chunk.writeUInt32BE(body.length);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, -4)), chunk.length - 4);
  const header = 8 + 25;
  return Buffer.concat([png.subarray(0, header), chunk, png.subarray(header)]);
}

/** A file that says it is larger than it is: a number changed where the format has its size. */
async function claiming(file: Promise<Buffer>, change: (bytes: Buffer) => void): Promise<Buffer> {
  const bytes = await file;
  change(bytes);
  return bytes;
}

const refused: [string, () => Buffer | Promise<Buffer>, RegExp][] = [
  [
    'a JPEG that claims 65000x65000',
    () =>
      claiming(plain(24, 16).jpeg().toBuffer(), (bytes) =>
        bytes.writeUInt32BE(0xfde8fde8, bytes.indexOf('\xff\xc0', 'latin1') + 5),
      ),
    /got 65000x65000/,
  ],
  [
    'a GIF that claims 65535x65535',
    () =>
      claiming(plain(24, 16).gif().toBuffer(), (bytes) =>
        bytes.writeUInt32LE(0xffffffff, bytes.indexOf(',\0\0\0\0', 'latin1') + 5),
      ),
    /got 65535x65535/,
  ],
  [
    'a WebP that claims 16384x16384',
    () =>
      claiming(plain(24, 16).ensureAlpha(0.5).webp().toBuffer(), (bytes) => {
        bytes.writeUIntLE(16383, 24, 3);
        bytes.writeUIntLE(16383, 27, 3);
      }),
    /./,
  ],
  [
    'an AVIF that claims 65535x65535',
    () =>
      claiming(plain(24, 16).avif().toBuffer(), (bytes) => {
        const at = bytes.indexOf('ispe') + 8;
        bytes.writeUInt32BE(65_535, at);
        bytes.writeUInt32BE(65_535, at + 4);
      }),
    /./,
  ],
  [
    'SVG that loads a file',
    () => Buffer.from(drawing('<image href="file:///etc/passwd"/>')),
    /unsupported image format/,
  ],
  [
    'SVG with entities',
    () => Buffer.from(`<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]>${drawing('&b;')}`),
    /unsupported/,
  ],
  ['compressed SVG', () => gzipSync(drawing('')), /unsupported image format/],
  ['SVG behind a space', () => Buffer.from(` ${drawing('')}`), /unsupported image format/],
];

function drawing(inside: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="99" height="99">${inside}</svg>`;
}

describe('bombs', () => {
  it.each(refused)('%s is refused, as bytes and as a file', async (name, make, message) => {
    const bytes = await make();
    const path = join(temporaryFolder(), 'image.png');
    writeFileSync(path, bytes);
    for (const image of [bytes, path]) {
      const refusal: unknown = await readPixels(image).catch((error) => error);
      expect(refusal, name).toMatchObject({ name: 'CycleganError', code: 'input' });
      expect(String(refusal)).toMatch(message);
      expect(String(refusal)).not.toContain('\n');
    }
  });

  it.each([
    ['text', 'zTXt', 'Comment\0\0'],
    ['a profile', 'iCCP', 'Profile\0\0'],
  ])('%s that unpacks to half a gigabyte takes no such memory', async (_, type, head) => {
    const packed = deflateSync(Buffer.alloc(2 ** 29), { level: 9 });
    const png = await pngWith(type, Buffer.concat([Buffer.from(head, 'latin1'), packed]));
    const before = process.resourceUsage().maxRSS;
    await assertOneSentence(readPixels(png), type);
    expect(process.resourceUsage().maxRSS - before).toBeLessThan(64 * 1024);
  });

  it('a TIFF whose directories follow each other in a circle ends', async () => {
    const tiff = await plain(24, 16).tiff({ compression: 'none' }).toBuffer();
    const directory = tiff.readUInt32LE(4);
    tiff.writeUInt32LE(directory, directory + 2 + tiff.readUInt16LE(directory) * 12);
    await assertOneSentence(readPixels(tiff), 'circle');
  });
});
