/**
 * The shell of the pages this project writes: one self-contained file, light and dark, phone and desktop. Fetches
 * nothing, which the page's own policy forbids; a live page may ask its own server, and nobody else.
 */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import sharp from 'sharp';
import { pageScript } from './page-script.js';
import { pageStyle } from './page-style.js';

/** Text made safe inside elements and quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Data for the page's script, in a block that is never executed. */
export function jsonBlock(data: unknown): string {
  return `<script type="application/json">${JSON.stringify(data).replace(/</g, '\\u003c')}</script>`;
}

/**
 * A whole page.
 * @param title plain text
 * @param body HTML; what came from outside must have gone through {@link escapeHtml}
 * @param style more CSS, after the common one
 * @param live the page comes from a server that also has its pictures and its news
 */
export function htmlPage({
  title,
  body,
  style = '',
  live = false,
}: {
  title: string;
  body: string;
  style?: string;
  live?: boolean;
}): string {
  const hash = createHash('sha256').update(pageScript).digest('base64');
  const sources = live ? "img-src 'self'; connect-src 'self'" : 'img-src data:';
  const policy = `default-src 'none'; ${sources}; style-src 'unsafe-inline'; script-src 'sha256-${hash}'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${pageStyle}${style}</style>
</head>
<body>
${body}
<script>${pageScript}</script>
</body>
</html>
`;
}

/** Pictures above this many bytes are embedded smaller, and with losses that the eye does not see. */
const EMBED_AS_IS = 150_000;
const MAX_EMBEDDED_SIDE = 1_200;

/**
 * An image file as a `data:` address (WebP): a small one as it is, to the last bit; a large one reduced.
 * @throws what sharp or the file system throws for a file that cannot be read
 */
export async function imageDataUri(path: string): Promise<string> {
  const large = (await stat(path)).size > EMBED_AS_IS;
  const image = sharp(path);
  if (large) image.resize(MAX_EMBEDDED_SIDE, MAX_EMBEDDED_SIDE, { fit: 'inside', withoutEnlargement: true });
  const data = await image.webp(large ? { quality: 80 } : { lossless: true, effort: 1 }).toBuffer();
  return `data:image/webp;base64,${data.toString('base64')}`;
}
