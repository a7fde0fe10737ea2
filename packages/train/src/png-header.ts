/** Size and colours of a PNG, from its first bytes alone. Decodes nothing. */

/** So many bytes hold what is read here. */
export const PNG_HEADER_BYTES = 26;

const SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
/** By colour type: grey, RGB, palette (counted as RGB), grey with alpha, RGB with alpha. */
const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 3, 4: 2, 6: 4 };

export interface PngHeader {
  /** Pixels. */
  width: number;
  height: number;
  channels: number;
}

/** @returns undefined for what is no PNG */
export function pngHeader(png: Uint8Array): PngHeader | undefined {
  const bytes = Buffer.from(png.buffer, png.byteOffset, png.byteLength);
  if (bytes.length < PNG_HEADER_BYTES || !bytes.subarray(0, 8).equals(SIGNATURE)) return undefined;
  const channels = CHANNELS[bytes.readUInt8(25)];
  if (channels === undefined) return undefined;
  return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20), channels };
}
