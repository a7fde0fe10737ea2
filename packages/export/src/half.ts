/** Half precision as files keep it: IEEE 754 binary16 as raw bits. */

/** All 65,536 halves take a quarter of a megabyte, and looking one up is faster than working it out. */
let table: Float32Array | undefined;

function halfTable(): Float32Array {
  table ??= Float32Array.from({ length: 2 ** 16 }, (_, bits) => {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 0x1f;
    const fraction = (bits & 0x3ff) / 1024;
    if (exponent === 0) return sign * fraction * 2 ** -14;
    if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
    return sign * (1 + fraction) * 2 ** (exponent - 15);
  });
  return table;
}

/** @param bits float16 as raw bits @returns the same numbers, exactly */
export function halfToFloat(bits: Uint16Array): Float32Array<ArrayBuffer> {
  const values = halfTable();
  const floats = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) floats[i] = values[bits[i] ?? 0] ?? 0;
  return floats;
}

/** The smallest half above zero, a subnormal: 6e-8. */
export const SMALLEST_HALF = 2 ** -24;

/**
 * Rounds to the nearest half, ties to even, subnormals included; what is too large becomes infinity.
 * @returns float16 as raw bits
 */
export function floatToHalf(floats: Float32Array): Uint16Array<ArrayBuffer> {
  const words = new Uint32Array(floats.buffer, floats.byteOffset, floats.length);
  const bits = new Uint16Array(floats.length);
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? 0;
    bits[i] = ((word >>> 16) & 0x8000) | unsigned(word & 0x7fffffff, floats[i] ?? 0);
  }
  return bits;
}

/** @param word the float's bits without the sign */
function unsigned(word: number, float: number): number {
  if (word > 0x7f800000) return 0x7e00;
  if (word >= 0x47800000) return 0x7c00;
  if (word < 0x38800000) return roundToEven(Math.abs(float) / SMALLEST_HALF);
  // Half a unit in the last place, less one unless that place is odd: carries run into the exponent as they should.
  return (word - 0x38000000 + 0xfff + ((word >>> 13) & 1)) >>> 13;
}

function roundToEven(value: number): number {
  const near = Math.round(value);
  return near - value === 0.5 && near % 2 === 1 ? near - 1 : near;
}
