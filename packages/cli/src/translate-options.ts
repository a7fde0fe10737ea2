/** The options of `cyclegan translate`, by what they are about, and what they mean for the package. */
import type { ImageOptions } from '@cyclegan/runtime-node';
import type { InferredOptionTypes, Options } from 'yargs';
import { dimensions, group, real, whole } from './options.js';
import { translatorOptions } from './translator-options.js';
import { wrongValue } from './usage.js';

/** From 0 to below 1. */
function smoothing(value: unknown): number {
  if (real('smoothing', 0)(value) < 1) return Number(value);
  throw wrongValue('smoothing', 'a number from 0 to below 1');
}

export const translateOptions = {
  ...group('Where to:', {
    out: {
      type: 'string',
      conflicts: 'zip',
      describe: 'Folder for the translations, which also keeps a list of them; - writes one image to stdout',
    },
    zip: {
      type: 'string',
      describe:
        'Instead of --out: one ZIP, as Kaggle takes it: JPEGs of 256x256 unless --format or --size say else',
    },
    resume: {
      type: 'boolean',
      conflicts: 'zip',
      describe: 'Pass over what is in --out already, of the same bytes, model and options',
    },
    'dry-run': { type: 'boolean', describe: 'Say what would be done, and with what; write nothing' },
  }),
  ...translatorOptions,
  ...group('Files written:', {
    format: {
      choices: ['keep', 'png', 'jpg', 'webp', 'avif', 'tiff', 'gif'],
      defaultDescription: 'keep',
      describe: "keep: the input's own, and PNG where that is not written",
    },
    quality: {
      type: 'number',
      coerce: whole('quality', 1, 100),
      defaultDescription: '92, AVIF 75',
      describe: 'Of JPEG, WebP, AVIF and videos',
    },
    size: {
      type: 'string',
      coerce: dimensions('size'),
      defaultDescription: "each image's own",
      describe: 'Scale to cover and crop to this before translating: 512 or 320x240',
    },
    metadata: {
      choices: ['strip', 'keep'],
      default: 'strip',
      describe: 'EXIF, XMP and IPTC; a camera writes where and when there',
    },
    profile: {
      choices: ['srgb', 'keep'],
      default: 'srgb',
      describe: "Colours of the files: sRGB, or the input's ICC profile, as AdobeRGB, where there is one",
    },
    smoothing: {
      type: 'number',
      coerce: smoothing,
      defaultDescription: '0, videos 0.8',
      describe: 'Against flicker of videos and animations: 0 none, to below 1; needs export --tiles',
    },
  }),
} as const satisfies Record<string, Options>;

/** What of them an image file is read and written by. */
export function imageOptions(
  args: Pick<
    InferredOptionTypes<typeof translateOptions>,
    'format' | 'quality' | 'size' | 'metadata' | 'profile' | 'smoothing' | 'background'
  >,
): ImageOptions {
  const { format, quality, size, metadata, profile, smoothing, background } = args;
  const css = background && `rgb(${background.join(', ')})`;
  return { format, quality, size, metadata, profile, smoothing, background: css };
}
