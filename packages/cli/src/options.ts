/** Option values that yargs' own types do not check: numbers in a range, lists, tile sizes. Used as `coerce`. */
import { wrongValue } from './usage.js';

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
