/** float32 to half precision without leaving its range: nothing finite becomes infinity, nothing but zero becomes zero. */
import { floatToHalf, SMALLEST_HALF } from '../half.js';

const LARGEST = 65504;
/** From here on the nearest half is infinity. */
const TOO_LARGE = 65520;

/** Halves, and how many of the numbers they stand for were out of range. */
export interface ClampedHalves {
  /** float16 as raw bits. */
  readonly data: Uint16Array<ArrayBuffer>;
  /** Numbers nearer to zero than 6e-8, which became that with their sign. */
  readonly tooSmall: number;
  /** Numbers beyond 65504, which became that with their sign. */
  readonly tooLarge: number;
}

/** The nearest halves within range. Zeros, infinities and NaN stay what they are. */
export function clampToHalf(values: Float32Array): ClampedHalves {
  const clamped = new Float32Array(values);
  let tooSmall = 0;
  let tooLarge = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? 0;
    const size = Math.abs(value);
    if (size > 0 && size < SMALLEST_HALF) {
      clamped[i] = Math.sign(value) * SMALLEST_HALF;
      tooSmall++;
    } else if (size >= TOO_LARGE && size !== Number.POSITIVE_INFINITY) {
      clamped[i] = Math.sign(value) * LARGEST;
      tooLarge++;
    }
  }
  return { data: floatToHalf(clamped), tooSmall, tooLarge };
}
