/** The package in Node, where a server renders pages that use it: importing it needs no browser. */
import { expect, it } from 'vitest';

it('can be imported without a window', async () => {
  expect('window' in globalThis).toBe(false);
  const { createTranslator, isCycleganError } = await import('@cyclegan/runtime-web');
  // A device that no browser has is refused before anything of the browser is touched.
  const refused = await createTranslator('bundle/', { device: 'cuda' }).catch((error: unknown) => error);
  expect(isCycleganError(refused) && refused.code).toBe('usage');
});
