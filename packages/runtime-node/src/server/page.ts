/**
 * The upload page as one answer: HTML with its style and script inside, and the policy by which the browser runs
 * these and nothing else. The page itself lies in the package's folder page/.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

export interface Page {
  html: string;
  /** For its `Content-Security-Policy` header. */
  csp: string;
}

/** Reads the page from the package. */
export async function readPage(): Promise<Page> {
  const [html, style, script] = await Promise.all([
    readFile(new URL('../../page/index.html', import.meta.url), 'utf8'),
    readFile(new URL('../../page/style.css', import.meta.url), 'utf8'),
    readFile(new URL('../page/client.js', import.meta.url), 'utf8'),
  ]);
  return {
    // A function, since a replacement's dollar signs would mean something.
    html: html
      .replace('<style></style>', () => `<style>${style}</style>`)
      .replace('<script type="module"></script>', () => `<script type="module">${script}</script>`),
    csp: [
      "default-src 'none'",
      `style-src ${hashOf(style)}`,
      `script-src ${hashOf(script)}`,
      'img-src data: blob:',
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
  };
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
