/** The checksum of TFRecord files: CRC-32C, masked as TensorFlow masks it. The polynomial itself is crc-32's. */
import castagnoli from 'crc-32/crc32c.js';

/**
 * CRC-32C of the bytes, rotated right by 15 bits plus a constant, so that the checksum of data that holds checksums
 * stays a good one (TensorFlow, core/lib/hash/crc32c.h).
 * @returns 0 to 2³² − 1
 */
export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = castagnoli.buf(bytes) >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
