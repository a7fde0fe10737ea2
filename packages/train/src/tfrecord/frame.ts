/**
 * The frame around one record of a TFRecord file: its length and the length's checksum before it, its own checksum
 * behind it, all little-endian. Knows neither files nor what a record holds.
 */
import { maskedCrc32c } from './crc32c.js';

/** Bytes before a record: the length as uint64, and its masked CRC-32C. */
export const HEADER_BYTES = 12;
/** Bytes behind a record: its masked CRC-32C. */
export const FOOTER_BYTES = 4;

/** A record as it stands in a file. @returns a new array of `record.length` + 16 bytes */
export function frameRecord(record: Uint8Array): Uint8Array {
  const framed = new Uint8Array(HEADER_BYTES + record.length + FOOTER_BYTES);
  const view = new DataView(framed.buffer);
  view.setBigUint64(0, BigInt(record.length), true);
  view.setUint32(8, maskedCrc32c(framed.subarray(0, 8)), true);
  framed.set(record, HEADER_BYTES);
  view.setUint32(HEADER_BYTES + record.length, maskedCrc32c(record), true);
  return framed;
}

/**
 * The length of the record behind a header. Bound it by what the file still holds before memory is taken.
 * @param header {@link HEADER_BYTES} bytes
 * @returns undefined when the header is damaged: its checksum is wrong
 */
export function recordLength(header: Uint8Array): number | undefined {
  const view = new DataView(header.buffer, header.byteOffset, HEADER_BYTES);
  if (view.getUint32(8, true) !== maskedCrc32c(header.subarray(0, 8))) return undefined;
  return Number(view.getBigUint64(0, true));
}

/**
 * Whether a record is as it was written.
 * @param footer the {@link FOOTER_BYTES} bytes behind it
 */
export function recordIsIntact(record: Uint8Array, footer: Uint8Array): boolean {
  return (
    new DataView(footer.buffer, footer.byteOffset, FOOTER_BYTES).getUint32(0, true) === maskedCrc32c(record)
  );
}
