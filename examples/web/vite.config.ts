/**
 * The page's server and build. Serves the user's bundle and sample images beside the page in dev and preview;
 * a build holds the page only, and expects `bundle/` and `samples/` beside it.
 */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { serveFolder } from './serve-folder.js';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// Threads of the WebAssembly backend need a cross-origin isolated page; any server of the build should send these.
const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

export default defineConfig({
  root: here('.'),
  base: './',
  plugins: [
    serveFolder('/bundle', process.env['CYCLEGAN_BUNDLE'] ?? here('../../demo/bundle')),
    serveFolder('/samples', process.env['CYCLEGAN_SAMPLES'] ?? here('../../demo/samples')),
  ],
  server: { headers },
  preview: { headers },
  // Nothing is bundled beforehand: a dependency met in a worker would otherwise reload the page on its first visit.
  optimizeDeps: { noDiscovery: true },
});
