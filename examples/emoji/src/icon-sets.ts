/**
 * The icon sets, from npm packages in Iconify's format, and one icon as PNG. Knows no split and no folders.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { CycleganError } from '@cyclegan/runtime-core';
import { getIconData, iconToHTML, iconToSVG, quicklyValidateIconSet } from '@iconify/utils';
import sharp from 'sharp';

/** Two sets with the same names and poses in two styles. */
export type EmojiPair = 'colour-ink' | 'flat-3d';

interface Domain {
  /** What the style is called, for people. */
  label: string;
  package: string;
  /** What fetching the package costs, where that is worth saying. */
  size?: string;
}

const flat = '@iconify-json/fluent-emoji-flat';

/** The two domains of each pair. */
export const emojiPairs: Record<EmojiPair, { a: Domain; b: Domain }> = {
  'colour-ink': {
    a: { label: 'colour', package: flat },
    b: { label: 'ink', package: '@iconify-json/fluent-emoji-high-contrast' },
  },
  'flat-3d': {
    a: { label: 'flat', package: flat },
    b: { label: '3D', package: '@iconify-json/fluent-emoji', size: '99 MB' },
  },
};

export type IconSet = NonNullable<ReturnType<typeof quicklyValidateIconSet>>;

/**
 * Reads a set from its installed package.
 * @throws CycleganError `input` with the command that adds it, when it is not installed
 */
export async function loadIconSet(domain: Domain): Promise<IconSet> {
  let path: string;
  try {
    path = createRequire(import.meta.url).resolve(`${domain.package}/icons.json`);
  } catch (cause) {
    const size = domain.size ? ` (${domain.size})` : '';
    throw new CycleganError(
      'input',
      `[emoji] icon set: expected the package ${domain.package}, got none installed. Add it with \`npm install ${domain.package}\`${size}.`,
      { cause },
    );
  }
  const set = quicklyValidateIconSet(JSON.parse(await readFile(path, 'utf8')));
  if (!set) {
    throw new CycleganError(
      'input',
      `[emoji] ${path}: expected an icon set in Iconify's format, got something else. Install ${domain.package} again.`,
    );
  }
  return set;
}

/** Names of the icons that both sets show; aliases (mirrored or renamed copies) and withdrawn icons left out. */
export function commonNames(a: IconSet, b: IconSet): string[] {
  const shown = (set: IconSet, name: string) => {
    const icon = set.icons[name];
    return icon !== undefined && !icon.hidden;
  };
  return Object.keys(a.icons).filter((name) => shown(a, name) && shown(b, name));
}

/**
 * One icon, drawn in black where it has no colour of its own, centred on a white square.
 * @param size edge of the picture, pixels
 * @returns a PNG file's bytes, 8-bit RGB
 */
export async function renderIcon(set: IconSet, name: string, size: number): Promise<Uint8Array> {
  const icon = getIconData(set, name);
  if (!icon) throw new Error(`internal: no icon ${name} in ${set.prefix}`);
  // Drawn larger, then reduced: masks in the 3D set have jagged edges otherwise.
  const drawn = Math.max(size, Math.min(4 * size, 512));
  const { attributes, body } = iconToSVG(icon, { width: null, height: String(drawn) });
  const svg = iconToHTML(body, { ...attributes, color: '#000' });
  return sharp(Buffer.from(svg))
    .flatten({ background: '#fff' })
    .resize(size, size, { fit: 'contain', background: '#fff' })
    .toColourspace('srgb')
    .png()
    .toBuffer();
}
