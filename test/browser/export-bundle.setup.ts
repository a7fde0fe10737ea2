/** Before the browser tests: a bundle from today's exporter, where the dev server finds it. Not kept in git. */
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { makeBundle } from '../support/make-bundle.ts';

const dir = fileURLToPath(new URL('../fixtures/exported', import.meta.url));

export async function setup(): Promise<void> {
  await rm(dir, { recursive: true, force: true });
  await makeBundle({ dir, ngf: 8, blocks: 2, seed: 5 });
}
