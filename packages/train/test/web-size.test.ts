/** What a page loads for training, onnxruntime's own files apart: nothing of Node, and not more than it needs. */
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, type Rolldown } from 'vite';
import { beforeAll, describe, expect, it } from 'vitest';

/** Bytes after gzip that a file may have. */
const ceilings = { 'index.js': 6_000, 'worker-wasm.js': 105_000, 'worker-webgpu.js': 105_000 };

describe('built for a page', () => {
  const files = new Map<string, string>();
  beforeAll(async () => {
    const external = [/^onnxruntime-web\//];
    const made = await build({
      root: fileURLToPath(new URL('..', import.meta.url)),
      configFile: false,
      logLevel: 'error',
      worker: { format: 'es', rollupOptions: { external, output: { entryFileNames: '[name].js' } } },
      build: {
        write: false,
        rollupOptions: {
          input: fileURLToPath(import.meta.resolve('@cyclegan/train/web')),
          preserveEntrySignatures: 'strict',
          external,
          output: { entryFileNames: '[name].js' },
        },
      },
    });
    for (const file of (made as Rolldown.RolldownOutput).output) {
      files.set(file.fileName, file.type === 'chunk' ? file.code : String(file.source));
    }
  });

  it('is a page and a worker for each device', () => {
    expect([...files.keys()].toSorted()).toEqual(Object.keys(ceilings).toSorted());
  });

  it.each(Object.entries(ceilings))('%s has at most %i bytes after gzip', (name, ceiling) => {
    const { length } = gzipSync(files.get(name) ?? '', { level: 9 });
    expect(length).toBeGreaterThan(1000);
    expect(length).toBeLessThanOrEqual(ceiling);
  });

  it.each(Object.keys(ceilings))('%s asks for nothing of Node', (name) => {
    expect(files.get(name)).not.toMatch(/['"`]node:|browser-external|onnxruntime-node|createRequire/);
  });
});

it('can be imported without a window', async () => {
  expect('window' in globalThis).toBe(false);
  const { createTrainer, isCycleganError } = await import('@cyclegan/train/web');
  const refused = await createTrainer({ a: [], b: [], device: 'wasm' }).catch((error: unknown) => error);
  expect(isCycleganError(refused) && refused.code).toBe('input');
});
