/**
 * Option values that yargs' own types do not check (numbers in a range, lists, sizes, colours; used as `coerce`), and
 * headings of the help.
 */
import type { Options } from 'yargs';
import { wrongValue } from './usage.js';

/** Puts options under a heading of the help. */
export function group<const O extends Readonly<Record<string, Options>>>(heading: string, options: O): O {
  const entries = Object.entries(options).map(([name, option]) => [name, { group: heading, ...option }]);
  return Object.fromEntries(entries) as O;
}

/** A whole number from `least` to `most`. */
export function whole(name: string, least: number, most = Number.MAX_SAFE_INTEGER) {
  return (value: unknown): number => {
    if (Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most) return Number(value);
    const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
    throw wrongValue(name, `a whole number ${range}`);
  };
}

/** A number of at least `least`. */
export function real(name: string, least: number) {
  return (value: unknown): number => {
    if (Number.isFinite(value) && Number(value) >= least) return Number(value);
    throw wrongValue(name, `a number of at least ${least}`);
  };
}

/** A list of names, by commas or by repeating the option, each one of `allowed` and taken once. */
export function listOf<const Name extends string>(name: string, allowed: readonly Name[]) {
  return (value: unknown): Name[] => {
    const names = [value].flat().flatMap((part) => String(part).split(','));
    return [...new Set(names)].map((given) => {
      const found = allowed.find((each) => each === given.trim());
      if (found) return found;
      throw wrongValue(name, `one or more of ${allowed.join(', ')}, joined by commas`);
    });
  };
}

/** `auto`, `none` or pixels. */
export function tile(value: unknown): 'auto' | 'none' | number {
  if (value === 'auto' || value === 'none') return value;
  const pixels = typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
  if (Number.isSafeInteger(pixels) && pixels >= 1) return pixels;
  throw wrongValue('tile', 'auto, none or a number of pixels');
}

/** `4G`, `512M`, `4 GiB`: bytes. */
export function bytes(name: string) {
  return (value: unknown): number => {
    const [, number, unit = ''] = /^(\d+(?:\.\d+)?) ?([KMGT]?)(?:i?B)?$/i.exec(String(value)) ?? [];
    const size = Math.floor(Number(number) * 1024 ** ' KMGT'.indexOf(unit.toUpperCase() || ' '));
    if (size >= 1) return size;
    throw wrongValue(name, 'a size as 512M or 4G');
  };
}

/** `256` → 256 × 256, `320x240`. */
export function dimensions(name: string) {
  return (value: unknown): { width: number; height: number } => {
    const [, width, height = width] = /^(\d{1,5})(?:x(\d{1,5}))?$/i.exec(String(value)) ?? [];
    if (Number(width) > 0 && Number(height) > 0) return { width: Number(width), height: Number(height) };
    throw wrongValue(name, 'a number of pixels, or width and height as 320x240');
  };
}

/** `#rrggbb`, `#rgb`, `white` or `black`: sRGB bytes. */
export function colour(name: string) {
  return (value: unknown): [number, number, number] => {
    const given = String(value).toLowerCase();
    const hex =
      { white: '#ffffff', black: '#000000' }[given] ?? given.replace(/^#(.)(.)(.)$/, '#$1$1$2$2$3$3');
    const [, red = '', green = '', blue = ''] = /^#([\da-f]{2})([\da-f]{2})([\da-f]{2})$/.exec(hex) ?? [];
    if (blue !== '') return [Number.parseInt(red, 16), Number.parseInt(green, 16), Number.parseInt(blue, 16)];
    throw wrongValue(name, 'a colour as #ffffff, white or black');
  };
}
