/**
 * What kind of image a file is, by its first bytes, before any decoder sees it. Only pixels get further: SVG, PDF and
 * the like are drawn by programs that load other files, run for as long as the drawing says, and have no size of
 * their own.
 */
import { constants, open } from 'node:fs/promises';
import type { ImageFormat } from './formats.js';

/** Enough for every signature below. */
const LENGTH = 12;

/** What files begin with, as latin1 text, and where. */
const KINDS: readonly { format: ImageFormat; start: readonly (readonly [at: number, begin: string])[] }[] = [
  { format: 'jpg', start: [[0, '\xff\xd8\xff']] },
  { format: 'png', start: [[0, '\x89PNG\r\n\x1a\n']] },
  { format: 'gif', start: [[0, 'GIF8']] },
  {
    format: 'webp',
    start: [
      [0, 'RIFF'],
      [8, 'WEBP'],
    ],
  },
  { format: 'tiff', start: [[0, 'II*\0']] },
  { format: 'tiff', start: [[0, 'MM\0*']] },
  // BigTIFF.
  { format: 'tiff', start: [[0, 'II+\0']] },
  { format: 'tiff', start: [[0, 'MM\0+']] },
  // The container of HEIC and MP4 as well; of these, libvips opens what it was built for.
  { format: 'avif', start: [[4, 'ftyp']] },
];

/**
 * @param image a path, or the bytes of a file
 * @returns undefined for what is no image of pixels
 * @throws what reading throws; an Error for a path that is no file, which could be read for ever
 */
export async function identify(image: string | Uint8Array): Promise<ImageFormat | undefined> {
  const start = typeof image === 'string' ? await readStart(image) : image.subarray(0, LENGTH);
  const text = Buffer.from(start).toString('latin1');
  return KINDS.find(({ start }) => start.every(([at, begin]) => text.startsWith(begin, at)))?.format;
}

async function readStart(path: string): Promise<Uint8Array> {
  // Without O_NONBLOCK opening a pipe would wait for its writer.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!(await file.stat()).isFile()) throw new Error('it is not a file');
    const { buffer, bytesRead } = await file.read({ buffer: new Uint8Array(LENGTH) });
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
