/**
 * Which files are videos, and how a translation is written: the container by the file's extension, the codec by the
 * container and what the input had. Runs nothing.
 */
import { extname } from 'node:path';
import { CycleganError } from '@cyclegan/runtime-core';
import type { VideoFacts } from './probe-video.js';

/** What can be written, as ffmpeg names it. */
const CONTAINERS = new Map([
  ['.mp4', 'mp4'],
  ['.m4v', 'mp4'],
  ['.mov', 'mov'],
  ['.mkv', 'matroska'],
  ['.webm', 'webm'],
]);
/** What is read besides; `.ts` is left out, for it is TypeScript too. */
const READ_ONLY = new Set(['.avi', '.mpg', '.mpeg', '.m2ts', '.wmv', '.flv', '.3gp', '.ogv']);

/** Whether a path is a video's, by its extension. */
export function isVideo(path: string): boolean {
  const extension = extname(path).toLowerCase();
  return CONTAINERS.has(extension) || READ_ONLY.has(extension);
}

/** The extension for the translation of a video: its own, or `.mkv`, which takes the sound of all that is only read. */
export function videoExtension(path: string): string {
  const extension = extname(path);
  return CONTAINERS.has(extension.toLowerCase()) ? extension : '.mkv';
}

/**
 * Options of ffmpeg for the pictures, from `-vf` on, and for the file around them.
 * @param quality 1 to 100
 * @throws CycleganError `usage` for an extension that is not written
 */
export function outputOptions(output: string, facts: VideoFacts, quality: number): string[] {
  const container = CONTAINERS.get(extname(output).toLowerCase());
  if (!container) {
    throw new CycleganError(
      'usage',
      `[video] ${output}: expected a name that ends in ${Array.from(CONTAINERS.keys()).join(', ')}, got another one. Name the output so.`,
    );
  }
  const { filters, options } = codecOptions(container, facts, quality);
  const { pixelShape } = facts;
  const shaped = pixelShape === null ? filters : [...filters, `setsar=${pixelShape.replace(':', '/')}`];
  return [
    ...['-vf', shaped.join(',')],
    ...options,
    // The index first, so that players begin before they have all of it.
    ...(container === 'mp4' || container === 'mov' ? ['-movflags', '+faststart'] : []),
    ...['-f', container],
  ];
}

/** What loses nothing, and what editors work in, stays; the rest becomes what plays everywhere. */
function codecOptions(container: string, facts: VideoFacts, quality: number) {
  const luma = (format: string) => [
    ...evenSides(facts),
    'scale=out_color_matrix=bt709:out_range=limited:flags=bicubic+accurate_rnd+full_chroma_int',
    `format=${format}`,
  ];
  const colours = ['-color_primaries', 'bt709', '-color_trc', 'bt709', '-colorspace', 'bt709'];
  const named = [...colours, '-color_range', 'tv'];
  if (container === 'webm') {
    const crf = String(Math.round(63 - 0.4 * quality));
    const options = ['-c:v', 'libvpx-vp9', '-crf', crf, '-b:v', '0', '-row-mt', '1', '-cpu-used', '2'];
    return { filters: luma('yuv420p'), options: [...options, ...named] };
  }
  if (facts.codec === 'ffv1' && container === 'matroska') {
    return { filters: ['format=bgr0'], options: ['-c:v', 'ffv1', '-level', '3', '-g', '1'] };
  }
  if (facts.codec === 'prores' && container !== 'mp4') {
    return { filters: luma('yuv422p10le'), options: ['-c:v', 'prores_ks', '-profile:v', 'hq', ...named] };
  }
  const crf = String(Math.round(51 - 0.36 * quality));
  return { filters: luma('yuv420p'), options: ['-c:v', 'libx264', '-crf', crf, ...named] };
}

/** Colour differences are kept for two pixels together: an odd side repeats its last line. */
function evenSides({ width, height }: VideoFacts): string[] {
  const [right, bottom] = [width % 2, height % 2];
  if (right + bottom === 0) return [];
  const size = `${width + right}:${height + bottom}`;
  return ['format=gbrp', `pad=${size}`, `fillborders=right=${right}:bottom=${bottom}:mode=smear`];
}
