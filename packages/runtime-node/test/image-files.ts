/** Image files as cameras and programs write them, for the tests of what is read and kept: profiles, EXIF, animations. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { plain, temporaryFolder } from './support.ts';

/** Columns are red, green and blue in XYZ, adapted to D50, as in ICC profiles; from the primaries of each standard. */
const TO_XYZ = {
  srgb: [0.43607, 0.38515, 0.14307, 0.22249, 0.71687, 0.06061, 0.01392, 0.09708, 0.7141],
  p3: [0.51512, 0.29198, 0.15711, 0.2412, 0.69225, 0.06657, -0.00105, 0.04189, 0.78408],
  adobe: [0.60974, 0.20528, 0.14919, 0.31111, 0.62567, 0.06322, 0.01947, 0.06087, 0.74457],
} as const;

export type Gamut = keyof typeof TO_XYZ;
type Colour = readonly [number, number, number];

const decodeGamma = (v: number) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
const encodeGamma = (v: number) => (v <= 0.0031308 ? v * 12.92 : 1.055 * v ** (1 / 2.4) - 0.055);

/** A colour of sRGB in another gamut with the same tone curve, by arithmetic of our own. */
export function inGamut(colour: Colour, gamut: Gamut): number[] {
  const xyz = times(
    TO_XYZ.srgb,
    colour.map((v) => decodeGamma(v / 255)),
  );
  return times(inverse(TO_XYZ[gamut]), xyz).map((v) => Math.round(encodeGamma(v) * 255));
}

function times(m: readonly number[], v: readonly number[]): number[] {
  return [0, 3, 6].map((row) => [0, 1, 2].reduce((sum, i) => sum + (m[row + i] ?? 0) * (v[i] ?? 0), 0));
}

function inverse(m: readonly number[]): number[] {
  const at = (row: number, column: number) => m[(row % 3) * 3 + (column % 3)] ?? 0;
  const minor = (r: number, c: number) =>
    at(r + 1, c + 1) * at(r + 2, c + 2) - at(r + 1, c + 2) * at(r + 2, c + 1);
  const determinant = [0, 1, 2].reduce((sum, c) => sum + at(0, c) * minor(0, c), 0);
  return Array.from({ length: 9 }, (_, i) => minor(i % 3, Math.floor(i / 3)) / determinant);
}

/** A file with the profile of a gamut; sharp's own P3 profile, with other primaries where they are others. */
export async function profilePath(gamut: Gamut): Promise<string> {
  const { icc } = await sharp(await plain(8, 8).withIccProfile('p3').png().toBuffer()).metadata();
  if (!icc) throw new Error('internal: sharp wrote no profile');
  const tags = icc.readUInt32BE(128);
  for (const [column, name] of ['rXYZ', 'gXYZ', 'bXYZ'].entries()) {
    for (let tag = 0; tag < tags; tag += 1) {
      const entry = 132 + tag * 12;
      if (icc.toString('latin1', entry, entry + 4) !== name) continue;
      const at = icc.readUInt32BE(entry + 4) + 8;
      for (const row of [0, 1, 2]) {
        icc.writeInt32BE(Math.round((TO_XYZ[gamut][row * 3 + column] ?? 0) * 65536), at + row * 4);
      }
    }
  }
  const path = join(temporaryFolder(), `${gamut}.icc`);
  writeFileSync(path, icc);
  return path;
}

export const XMP =
  '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:rights>Somebody</dc:rights></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>';
export const CAPTION = 'A caption by IPTC';

/** A file of the kind asked for, with EXIF (an artist, a place) and XMP where the format has them. */
export function withMetadata(
  image: Sharp,
  format: 'jpeg' | 'png' | 'webp' | 'avif' | 'tiff',
): Promise<Buffer> {
  const place = { GPSLatitudeRef: 'N', GPSLatitude: '51/1 30/1 3230/100' };
  return image
    .withExif({ IFD0: { Artist: 'An artist' }, IFD3: place })
    .withXmp(XMP)
    [format]()
    .toBuffer();
}

/** A photo as from a phone: a JPEG on its side, with a place, a thumbnail of itself and an IPTC caption. */
export async function phonePhoto(): Promise<{ photo: Buffer; thumbnail: Buffer }> {
  const thumbnail = await plain(16, 8).jpeg().toBuffer();
  const jpeg = await plain(40, 24).jpeg().toBuffer();
  const photo = [
    jpeg.subarray(0, 2),
    segment(0xe1, exif(thumbnail)),
    segment(0xed, iptc()),
    jpeg.subarray(2),
  ];
  return { photo: Buffer.concat(photo), thumbnail };
}

function segment(marker: number, body: Buffer): Buffer {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(body.length + 2, 2);
  return Buffer.concat([head, body]);
}

/** Orientation 6, a GPS directory, and a second directory with the thumbnail. */
function exif(thumbnail: Buffer): Buffer {
  const [gps, second, image] = [38, 56, 98];
  const directories = [
    directory(
      [
        [0x0112, 3, 6],
        [0x8825, 4, gps],
      ],
      second,
    ),
    directory([[0x0001, 2, 'N'.charCodeAt(0)]], 0),
    directory(
      [
        [0x0103, 3, 6],
        [0x0201, 4, image],
        [0x0202, 4, thumbnail.length],
      ],
      0,
    ),
  ];
  return Buffer.concat([Buffer.from('Exif\0\0II*\0\x08\0\0\0', 'latin1'), ...directories, thumbnail]);
}

function directory(entries: [tag: number, type: number, value: number][], next: number): Buffer {
  const out = Buffer.alloc(2 + entries.length * 12 + 4);
  out.writeUInt16LE(entries.length);
  for (const [i, [tag, type, value]] of entries.entries()) {
    const at = 2 + i * 12;
    out.writeUInt16LE(tag, at);
    out.writeUInt16LE(type, at + 2);
    // Text counts its end as well.
    out.writeUInt32LE(type === 2 ? 2 : 1, at + 4);
    out.writeUInt32LE(value, at + 8);
  }
  out.writeUInt32LE(next, out.length - 4);
  return out;
}

function iptc(): Buffer {
  const record = Buffer.concat([Buffer.from([0x1c, 2, 120, 0, CAPTION.length]), Buffer.from(CAPTION)]);
  const padded = Buffer.concat([record, Buffer.alloc(record.length % 2)]);
  const head = Buffer.from(
    `Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0${String.fromCharCode(record.length)}`,
    'latin1',
  );
  return Buffer.concat([head, padded]);
}

/** Frames of one colour each. */
export function animation(
  format: 'gif' | 'webp',
  options: { side?: number; colours: Colour[]; delay: number[]; loop: number; alpha?: number },
): Promise<Buffer> {
  const { side = 16, colours, delay, loop, alpha } = options;
  const pixels = colours.flatMap((colour) => {
    const pixel = alpha === undefined ? colour : [...colour, alpha];
    return Array.from({ length: side * side }, () => pixel).flat();
  });
  const raw = {
    width: side,
    height: side * colours.length,
    channels: alpha === undefined ? (3 as const) : (4 as const),
    pageHeight: side,
  };
  const image = sharp(Uint8Array.from(pixels), { raw });
  const file =
    format === 'gif'
      ? image.gif({ delay, loop, keepDuplicateFrames: true })
      : image.webp({ delay, loop, lossless: true });
  return file.toBuffer();
}
