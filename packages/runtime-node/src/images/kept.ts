/**
 * What of an input goes into its output besides pixels, where it is asked for: EXIF, XMP, IPTC, and the ICC profile.
 * libvips reads and writes all of it; here is only how it gets from one file to another.
 */
import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CycleganError } from '@cyclegan/runtime-core';
import type { Metadata } from 'sharp';
import type { ImageFormat } from './formats.js';
import { type ImageHeader, openImage, readable, sharpReason } from './image.js';

/** Larger ones than those of any press are attacks. */
const MAX_PROFILE_BYTES = 8 * 1024 * 1024;

export interface KeptMetadata {
  /** EXIF, XMP and IPTC as those of a JPEG of one black pixel, from which a pipeline can start. */
  jpeg: Uint8Array;
  /** Once more, for JPEG holds 64 KB of it and other formats more. */
  xmp: string | undefined;
}

/**
 * The orientation is reset, for the pixels are upright, and the thumbnail left out, for it shows the input.
 * @throws CycleganError `input`, naming the file
 */
export function readMetadata({ source, what, metadata }: ImageHeader): Promise<KeptMetadata> {
  return readable(what, async () => {
    const jpeg = await openImage(source)
      .autoOrient()
      .extract({ left: 0, top: 0, width: 1, height: 1 })
      .flatten()
      .linear(0, 0)
      .keepMetadata()
      .withIccProfile('srgb', { attach: false })
      .jpeg()
      .toBuffer();
    dropThumbnail(jpeg);
    return { jpeg, xmp: metadata.xmpAsString };
  });
}

/**
 * Cuts the second image file directory, which is the thumbnail's, off the first; whoever reads and writes the EXIF
 * next leaves it out (TIFF 6.0, section 2; Exif 2.32, section 4.5).
 * @param jpeg one that libvips wrote
 */
function dropThumbnail(jpeg: Buffer): void {
  const exif = jpeg.indexOf('Exif\0\0', 0, 'latin1');
  if (exif < 0) return;
  const tiff = jpeg.subarray(exif + 6);
  const little = tiff[0] === 0x49;
  const directory = little ? tiff.readUInt32LE(4) : tiff.readUInt32BE(4);
  const entries = little ? tiff.readUInt16LE(directory) : tiff.readUInt16BE(directory);
  tiff.writeUInt32LE(0, directory + 2 + entries * 12);
}

/** The input's profile where an output of this format can be written in it; else sRGB is. */
export function profileFor(format: ImageFormat, { icc }: Metadata): Uint8Array | undefined {
  if (!icc || icc.length > MAX_PROFILE_BYTES || format === 'gif') return undefined;
  // The profile's own word for its colours, at byte 16 (ICC.1:2022, section 7.2.6).
  const colours = icc.toString('latin1', 16, 20);
  const cmyk = colours === 'CMYK' && (format === 'jpg' || format === 'tiff');
  return colours === 'RGB ' || cmyk ? icc : undefined;
}

/**
 * Lays the profile where sharp can take it, which is in a file.
 * @throws CycleganError `output` where the system's folder for such files cannot be written
 */
export async function withProfileFile<T>(profile: Uint8Array, use: (path: string) => Promise<T>): Promise<T> {
  const path = join(tmpdir(), `cyclegan-${randomUUID()}.icc`);
  try {
    await writeFile(path, profile, { flag: 'wx', mode: 0o600 }).catch((cause) => {
      throw new CycleganError(
        'output',
        `[image] ${path}: expected a place for a colour profile, got "${sharpReason(cause)}". Free it or set TMPDIR.`,
        { cause },
      );
    });
    return await use(path);
  } finally {
    await rm(path, { force: true });
  }
}
