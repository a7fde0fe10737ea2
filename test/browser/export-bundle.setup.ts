/**
 * Before the browser tests: bundles from today's exporter, where the dev server finds them. One is plain, the other
 * as different as can be: a U-Net with batch norm, from grey to colour and back. Not kept in git.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeBundle } from '../support/make-bundle.ts';

const dir = fileURLToPath(new URL('../fixtures/exported', import.meta.url));

export async function setup(): Promise<void> {
  await rm(dir, { recursive: true, force: true });
  await makeBundle({ dir, ngf: 8, blocks: 2, seed: 5 });
  await makeBundle({
    dir: join(dir, 'unet'),
    ngf: 4,
    seed: 5,
    generator: { kind: 'unet', downs: 5, norm: 'batch', inputChannels: 1 },
  });
}
