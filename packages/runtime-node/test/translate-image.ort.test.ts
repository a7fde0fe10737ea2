/** Image files through a translator: formats, quality, size, profiles, metadata, alpha, and what is refused. */
import {
  createTranslator,
  type ImageFormat,
  type NodeTranslator,
  readPixels,
  translateImage,
} from '@cyclegan/runtime-node';
import sharp, { type Metadata, type Sharp } from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CAPTION, phonePhoto, profilePath, withMetadata, XMP } from './image-files.ts';
import { noise, plain, tinyBundle } from './support.ts';

let translator: NodeTranslator;
beforeAll(async () => {
  translator = await createTranslator(tinyBundle, { device: 'cpu', threads: 1 });
});
afterAll(() => translator.dispose());

/** The translation as pixels, by the translator alone. */
async function expected(image: Buffer): Promise<Uint8Array> {
  return new Uint8Array(await (await translator.translate(image)).raw().toBuffer());
}

/** The mean over all bytes. */
async function difference(image: Uint8Array, pixels: Uint8Array): Promise<number> {
  const { data } = await readPixels(image);
  expect(data).toHaveLength(pixels.length);
  let sum = 0;
  for (const [i, value] of pixels.entries()) sum += Math.abs(value - (data[i] ?? 0));
  return sum / pixels.length;
}

/** Of both at a quarter of their size, where colours that were halved are whole again. */
async function coarseDifference(image: Uint8Array, pixels: Uint8Array): Promise<number> {
  const { width, height, channels } = await readPixels(image);
  const raw = { width, height, channels };
  const quarter = (of: Sharp) =>
    of
      .resize(width / 4, height / 4)
      .png()
      .toBuffer();
  const expected = await sharp(await quarter(sharp(pixels, { raw })))
    .raw()
    .toBuffer();
  return difference(await quarter(sharp(image)), new Uint8Array(expected));
}

const FORMATS: [ImageFormat, Metadata['format'], string][] = [
  ['png', 'png', 'image/png'],
  ['jpg', 'jpeg', 'image/jpeg'],
  ['webp', 'webp', 'image/webp'],
  ['avif', 'heif', 'image/avif'],
  ['tiff', 'tiff', 'image/tiff'],
  ['gif', 'gif', 'image/gif'],
];

describe('formats', () => {
  it.each(FORMATS)('%s: read, translated, and written as it was', async (format, name, type) => {
    const smooth = await noise(80, 48).blur(4).png().toBuffer();
    const image = await sharp(smooth)
      .toFormat(format === 'jpg' ? 'jpeg' : format)
      .toBuffer();
    const result = await translateImage(translator, image);
    expect(result).toMatchObject({ format, type, width: 80, height: 48, frames: 1 });
    const written = await sharp(result.data).metadata();
    expect(written).toMatchObject({ format: name, width: 80, height: 48 });
    const pixels = await expected(image);
    if (format === 'png' || format === 'tiff') expect(await difference(result.data, pixels)).toBe(0);
    else expect(await coarseDifference(result.data, pixels)).toBeLessThan(6);
  });

  it.each(FORMATS)('%s from PNG, whatever that holds', async (format, name) => {
    for (const png of [plain(24, 16).png({ palette: true }), plain(24, 16).toColourspace('b-w').png()]) {
      const { data } = await translateImage(translator, await png.toBuffer(), { format });
      expect(await sharp(data).metadata()).toMatchObject({ format: name, width: 24, space: 'srgb' });
    }
  });

  it('halves the colours of JPEG below quality 90, and only there', async () => {
    const image = await noise(40, 24).png().toBuffer();
    const [fine, coarse] = await Promise.all(
      [undefined, 80].map((quality) => translateImage(translator, image, { format: 'jpg', quality })),
    );
    expect((await sharp(fine?.data).metadata()).chromaSubsampling).toBe('4:4:4');
    expect((await sharp(coarse?.data).metadata()).chromaSubsampling).toBe('4:2:0');
    expect(coarse?.data.length).toBeLessThan(fine?.data.length ?? 0);
  });

  it('scales to cover and crops before it translates', async () => {
    const half = await plain(20, 20, { r: 0, g: 0, b: 255 }).png().toBuffer();
    const image = await plain(60, 20)
      .composite([{ input: half, left: 40, top: 0 }])
      .removeAlpha()
      .png()
      .toBuffer();
    const result = await translateImage(translator, image, { size: { width: 32, height: 32 } });
    expect(result).toMatchObject({ width: 32, height: 32 });
    // The middle third alone: the blue third is cut away.
    const middle = await sharp(image).resize(32, 32, { fit: 'cover' }).png().toBuffer();
    expect(await difference(result.data, await expected(middle))).toBe(0);
  });

  it('turns by EXIF before it scales, and says the size that it wrote', async () => {
    const image = await plain(40, 24).withMetadata({ orientation: 6 }).jpeg().toBuffer();
    expect(await translateImage(translator, image)).toMatchObject({ width: 24, height: 40 });
    const size = { width: 16, height: 48 };
    expect(await translateImage(translator, image, { size })).toMatchObject(size);
  });

  it('keeps alpha where the format has it, and lays the rest on the background', async () => {
    const image = await sharp({
      create: { width: 24, height: 16, channels: 4, background: { r: 9, g: 9, b: 9, alpha: 0 } },
    })
      .png()
      .toBuffer();
    for (const format of ['png', 'webp', 'avif', 'tiff', 'gif'] as const) {
      const { data } = await readPixels((await translateImage(translator, image, { format })).data);
      expect(data[3]).toBe(0);
    }
    const white = await readPixels((await translateImage(translator, image, { format: 'jpg' })).data);
    expect([white.channels, white.data[0]]).toEqual([3, 255]);
    const options = { format: 'jpg', background: '#0000ff', metadata: 'keep' } as const;
    const blue = await readPixels((await translateImage(translator, image, options)).data);
    expect(blue.data[2]).toBeGreaterThan(250);
    expect(blue.data[0]).toBeLessThan(5);
  });
});

describe('profiles', () => {
  it.each<ImageFormat>(['png', 'jpg', 'webp', 'avif', 'tiff'])('keeps the input’s in %s', async (format) => {
    const path = await profilePath('adobe');
    const image = await noise(80, 48).blur(4).withIccProfile(path).png().toBuffer();
    const { icc } = await sharp(image).metadata();
    const pixels = await expected(image);
    const kept = await translateImage(translator, image, { format, profile: 'keep', quality: 100 });
    expect((await sharp(kept.data).metadata()).icc).toEqual(icc);
    const differs = format === 'webp' ? coarseDifference : difference;
    const most = format === 'webp' ? 6 : 2.5;
    expect(await differs(kept.data, pixels)).toBeLessThan(most);
    const plainly = await translateImage(translator, image, { format, quality: 100 });
    expect((await sharp(plainly.data).metadata()).icc).toBeUndefined();
    expect(await differs(plainly.data, pixels)).toBeLessThan(most);
  });

  it('writes GIF, which has none, in sRGB', async () => {
    const image = await plain(24, 16).withIccProfile('p3').png().toBuffer();
    const [kept, plainly] = await Promise.all(
      (['keep', 'srgb'] as const).map((profile) =>
        translateImage(translator, image, { format: 'gif', profile }),
      ),
    );
    expect(kept?.data).toEqual(plainly?.data);
  });

  it('keeps CMYK as CMYK in JPEG and TIFF, and gives sRGB in PNG', async () => {
    const image = await plain(24, 16).toColourspace('cmyk').withIccProfile('cmyk').jpeg().toBuffer();
    expect(image.includes('Adobe')).toBe(true);
    const pixels = await expected(image);
    for (const format of ['jpg', 'tiff'] as const) {
      const { data } = await translateImage(translator, image, { format, profile: 'keep' });
      expect(await sharp(data).metadata()).toMatchObject({ space: 'cmyk', hasProfile: true });
      expect(await difference(data, pixels)).toBeLessThan(32);
    }
    const { data } = await translateImage(translator, image, { format: 'png', profile: 'keep' });
    expect(await sharp(data).metadata()).toMatchObject({ space: 'srgb', hasProfile: false });
    expect(await difference(data, pixels)).toBe(0);
  });

  it.each([
    ['of grey', 'RGB XYZ', 'GRAY'],
    ['broken', 'acsp', 'none'],
  ])('writes sRGB for a profile that is %s', async (_, find, replace) => {
    const image = await plain(24, 16).withIccProfile('p3').jpeg().toBuffer();
    image.write(replace, image.indexOf(find), 'latin1');
    const { data } = await translateImage(translator, image, { format: 'png', profile: 'keep' });
    expect(await sharp(data).metadata()).toMatchObject({ space: 'srgb', hasProfile: false });
    expect(await difference(data, await expected(image))).toBe(0);
  });
});

describe('metadata', () => {
  const kinds = ['jpeg', 'png', 'webp', 'avif', 'tiff'] as const;
  const fields = ({ exif, xmp, iptc, icc }: Metadata) => ({ exif, xmp, iptc, icc });

  it.each(kinds)('is gone from %s by default', async (kind) => {
    const image = await withMetadata(plain(24, 16).withIccProfile('p3'), kind);
    const { data } = await translateImage(translator, image);
    expect(fields(await sharp(data).metadata())).toEqual({});
    expect(Buffer.from(data).includes('rdf:RDF')).toBe(false);
  });

  it.each(kinds)('from %s is kept where the output has it', async (kind) => {
    const image = await withMetadata(noise(24, 16).ensureAlpha(0.5).withIccProfile('p3'), kind);
    const before = await sharp(image).metadata();
    for (const format of ['jpg', 'png', 'webp', 'avif', 'tiff'] as const) {
      const options = { format, metadata: 'keep' } as const;
      const { data } = await translateImage(translator, image, options);
      const after = await sharp(data).metadata();
      expect(after.xmpAsString).toBe(before.xmp && XMP);
      const artist = before.exif !== undefined && format !== 'tiff';
      expect([format, after.exif?.includes('An artist') ?? false]).toEqual([format, artist]);
      expect(after.icc).toBeUndefined();
      if (format === 'png') expect(await difference(data, await expected(image))).toBe(0);
    }
  });

  it('of a phone: upright, with its place and caption, without the old thumbnail', async () => {
    const { photo, thumbnail } = await phonePhoto();
    const before = await sharp(photo).metadata();
    expect([before.orientation, before.exif?.includes(thumbnail)]).toEqual([6, true]);
    const bare = await translateImage(translator, photo);
    expect(fields(await sharp(bare.data).metadata())).toEqual({});
    const kept = await translateImage(translator, photo, { metadata: 'keep' });
    const { data } = kept;
    const after = await sharp(data).metadata();
    expect(kept).toMatchObject({ width: 24, height: 40 });
    expect(after).toMatchObject({ width: 24, height: 40, orientation: 1 });
    expect(after.iptc?.includes(CAPTION)).toBe(true);
    // GPSLatitudeRef, tag 1 of the GPS directory: ASCII, two bytes, N.
    expect(after.exif?.includes(Buffer.from([1, 0, 2, 0, 2, 0, 0, 0, 0x4e, 0]))).toBe(true);
    expect(Buffer.from(data).includes(thumbnail.subarray(20, 120))).toBe(false);
  });

  it('of more than JPEG could hold is kept where the output can', async () => {
    const xmp = XMP.replace('Somebody', 'Somebody'.repeat(20_000));
    const image = await plain(24, 16).withXmp(xmp).png().toBuffer();
    for (const format of ['png', 'webp', 'tiff'] as const) {
      const { data } = await translateImage(translator, image, { format, metadata: 'keep' });
      expect((await sharp(data).metadata()).xmpAsString).toBe(xmp);
    }
    await translateImage(translator, image, { format: 'jpg', metadata: 'keep' });
  });

  it('and a profile are kept together', async () => {
    const image = await withMetadata(noise(24, 16).blur(3).withIccProfile('p3'), 'png');
    const options = { metadata: 'keep', profile: 'keep' } as const;
    const { data } = await translateImage(translator, image, options);
    const [before, after] = await Promise.all([image, data].map((file) => sharp(file).metadata()));
    expect(after?.icc).toEqual(before?.icc);
    expect(after?.xmp).toEqual(before?.xmp);
    expect(await difference(data, await expected(image))).toBeLessThanOrEqual(1);
  });
});

describe('the call', () => {
  it('reports tiles and milliseconds', async () => {
    const image = await plain(40, 24).png().toBuffer();
    const seen: unknown[] = [];
    const { ms } = await translateImage(translator, image, { onProgress: (progress) => seen.push(progress) });
    expect(seen).toEqual([{ stage: 'tile', done: 1, total: 1 }]);
    expect(Object.keys(ms)).toEqual(['decode', 'wait', 'run', 'encode']);
    for (const each of Object.values(ms)) expect(each).toBeGreaterThanOrEqual(0);
    expect(ms.decode).toBeGreaterThan(0);
  });

  it('stops on request', async () => {
    const image = await plain(40, 24).png().toBuffer();
    const before = AbortSignal.abort(new Error('enough'));
    await expect(translateImage(translator, image, { signal: before })).rejects.toMatchObject({
      code: 'aborted',
    });
    const during = new AbortController();
    const result = translateImage(translator, image, { signal: during.signal });
    during.abort();
    await expect(result).rejects.toMatchObject({ code: 'aborted' });
  });

  it.each([
    [{ quality: 0 }, 'quality: expected a whole number from 1 to 100, got 0'],
    [{ quality: 92.5 }, 'got 92.5'],
    [{ size: { width: 7, height: 99 } }, 'at least 8 px'],
    [{ size: { width: 20_000, height: 20_000 } }, 'at most 100 megapixels'],
    [{ size: { width: Number.NaN, height: 20 } }, 'got NaNx20'],
    [{ smoothing: 1 }, 'smoothing: expected a number from 0 to below 1, got 1'],
    [{ background: 'no colour' }, 'background: expected a CSS colour'],
    [{ maxPixels: 0 }, 'maxPixels: expected a positive whole number'],
  ])('refuses %j', async (options, message) => {
    const image = await plain(40, 24).png().toBuffer();
    const refusal: unknown = await translateImage(translator, image, options).catch((error) => error);
    expect(refusal).toMatchObject({ name: 'CycleganError', message: expect.stringContaining(message) });
    expect(String(refusal)).not.toContain('\n');
  });

  it('refuses more pixels than it was told, and sides that a format cannot have, before it translates', async () => {
    const image: Sharp = plain(40, 24);
    await expect(
      translateImage(translator, await image.png().toBuffer(), { maxPixels: 900 }),
    ).rejects.toMatchObject({
      code: 'input',
      message: expect.stringContaining('at most 0.0009 megapixels'),
    });
    const long = await plain(17_000, 8).png().toBuffer();
    await expect(translateImage(translator, long, { format: 'webp' })).rejects.toMatchObject({
      code: 'input',
      message: expect.stringContaining('at most 16383 px for webp, got 17000x8'),
    });
  });
});
