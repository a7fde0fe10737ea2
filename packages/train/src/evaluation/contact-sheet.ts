/**
 * A picture to look at: the best, median and worst translations of each direction side by side, each beside its input,
 * the way back and the answer. Draws; ranks and translates nothing.
 */
import { writeAtomic } from '@cyclegan/model';
import sharp, { type OverlayOptions } from 'sharp';
import { escapeHtml } from '../report/html.js';
import { type ImageShape, imageElements } from './image-shape.js';

export interface SheetImage {
  /** [channels, height, width] on [−1, 1]. */
  data: Float32Array;
  shape: ImageShape;
}

export interface SheetRow {
  /** What the row is of, and its number. */
  name: string;
  value: string;
  /** One for each column of the section. */
  images: readonly SheetImage[];
}

export interface SheetSection {
  title: string;
  /** What the images of a row are, left to right. */
  columns: readonly string[];
  /** Side by side: best, median, worst. */
  groups: readonly { title: string; rows: readonly SheetRow[] }[];
}

/** Pixels. Images of 64 and less are enlarged, large ones reduced, so that a sheet fits a screen. */
const CELL = 128;
const GAP = 4;
const GROUP_GAP = 36;
const MARGIN = 28;
const TITLE = 34;
const GROUP_TITLE = 26;
const COLUMN_TITLE = 20;
const CAPTION = 26;
const SECTION_GAP = 26;

/** Best, median, worst. */
const COLOURS = ['#1a7f37', '#57606a', '#cf222e'];

/**
 * Writes a PNG.
 * @throws CycleganError `output` when the place cannot be written
 */
export async function contactSheet(options: {
  path: string;
  sections: readonly SheetSection[];
}): Promise<void> {
  const { path, sections } = options;
  const width = 2 * MARGIN + Math.max(...sections.map(sectionWidth));
  const overlays: OverlayOptions[] = [];
  const marks: string[] = [];
  let top = MARGIN;
  for (const section of sections) {
    top = await drawSection(section, top, marks, overlays);
    top += SECTION_GAP;
  }
  const height = top - SECTION_GAP + MARGIN;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif"><rect width="100%" height="100%" fill="#fff"/>${marks.join('')}</svg>`;
  const png = await sharp(Buffer.from(svg)).composite(overlays).png().toBuffer();
  await writeAtomic(path, png);
}

function groupWidth({ columns }: SheetSection): number {
  return columns.length * (CELL + GAP) - GAP;
}

function sectionWidth(section: SheetSection): number {
  return section.groups.length * (groupWidth(section) + GROUP_GAP) - GROUP_GAP;
}

/** @returns where the section ends */
async function drawSection(
  section: SheetSection,
  top: number,
  marks: string[],
  overlays: OverlayOptions[],
): Promise<number> {
  const { title, columns, groups } = section;
  marks.push(text(title, MARGIN, top + 18, { size: 18, weight: 700 }));
  const rowsTop = top + TITLE + GROUP_TITLE + COLUMN_TITLE;
  for (const [index, group] of groups.entries()) {
    const left = MARGIN + index * (groupWidth(section) + GROUP_GAP);
    const colour = COLOURS[index] ?? '#000';
    const bar = `<rect x="${left}" y="${top + TITLE}" width="${groupWidth(section)}" height="3" fill="${colour}"/>`;
    marks.push(bar, text(group.title, left, top + TITLE + 20, { size: 14, weight: 700, fill: colour }));
    for (const [column, name] of columns.entries()) {
      const x = left + column * (CELL + GAP);
      marks.push(text(name, x, rowsTop - 6, { size: 12, fill: '#57606a' }));
    }
    for (const [number, row] of group.rows.entries()) {
      const y = rowsTop + number * (CELL + CAPTION);
      for (const [column, image] of row.images.entries()) {
        const x = left + column * (CELL + GAP);
        marks.push(frame(x, y));
        overlays.push({ input: await drawImage(image), left: x, top: y });
      }
      const most = Math.floor(groupWidth(section) / 7) - row.value.length - 2;
      marks.push(
        text(shortened(row.name, most), left, y + CELL + 15, { size: 12 }),
        text(row.value, left + groupWidth(section), y + CELL + 15, { size: 12, weight: 700, anchor: 'end' }),
      );
    }
  }
  return rowsTop + Math.max(...groups.map(({ rows }) => rows.length)) * (CELL + CAPTION);
}

/** A PNG of the cell's size; grey is drawn grey, and what is not square stands in the middle on white. */
async function drawImage({ data, shape }: SheetImage): Promise<Buffer> {
  const { channels, height, width } = shape;
  const area = height * width;
  const pixels = new Uint8ClampedArray(imageElements(shape));
  for (let at = 0; at < pixels.length; at++) {
    const value = data[(at % channels) * area + Math.floor(at / channels)] ?? 0;
    pixels[at] = (value + 1) * 127.5;
  }
  return sharp(pixels, { raw: { width, height, channels: channels === 1 ? 1 : 3 } })
    .toColourspace('srgb')
    .resize(CELL, CELL, {
      fit: 'contain',
      background: '#fff',
      // Small images are looked at pixel by pixel.
      kernel: Math.max(height, width) < CELL ? 'nearest' : 'lanczos3',
    })
    .png()
    .toBuffer();
}

/** A hair line around an image, which may be white to its edge. */
function frame(x: number, y: number): string {
  return `<rect x="${x - 0.5}" y="${y - 0.5}" width="${CELL + 1}" height="${CELL + 1}" fill="none" stroke="#d0d7de"/>`;
}

function text(
  content: string,
  x: number,
  y: number,
  { size, weight = 400, fill = '#1f2328', anchor = 'start' }: TextStyle,
): string {
  return `<text x="${x}" y="${y}" font-size="${size}" font-weight="${weight}" fill="${fill}" text-anchor="${anchor}">${escapeHtml(content)}</text>`;
}

interface TextStyle {
  size: number;
  weight?: number;
  fill?: string;
  anchor?: 'start' | 'end';
}

/** The end of a path says more than its beginning. */
function shortened(name: string, most: number): string {
  return name.length <= most ? name : `…${name.slice(1 - Math.max(2, most))}`;
}
