/** How a translator's images are taken, the same for all of them: checked once, before anything is opened. */
import { CycleganError } from './errors.js';
import { assertTile } from './tiles.js';
import type { TranslatorOptions } from './translator.js';

export type TranslationSettings = Pick<TranslatorOptions, 'tile' | 'memory' | 'alpha' | 'background'>;

/** @throws CycleganError `usage` for settings that cannot be meant */
export function assertSettings({ tile, memory, alpha, background }: TranslationSettings): void {
  if (tile !== undefined) assertTile(tile);
  if (memory !== undefined && !(Number.isFinite(memory) && memory > 0)) {
    throw refused(
      'memory',
      'a positive number of bytes',
      memory,
      'Leave it out for what this machine has free.',
    );
  }
  if (alpha !== undefined && alpha !== 'keep' && alpha !== 'flatten') {
    throw refused('alpha', '"keep" or "flatten"', alpha, 'Choose one of those.');
  }
  const isByte = (value: number) => Number.isInteger(value) && value >= 0 && value <= 255;
  if (background !== undefined && !(background.length === 3 && background.every(isByte))) {
    throw refused('background', 'three bytes, red, green and blue', background, 'White is [255, 255, 255].');
  }
}

function refused(what: string, expected: string, got: unknown, fix: string): CycleganError {
  return new CycleganError(
    'usage',
    `[translator] ${what}: expected ${expected}, got ${JSON.stringify(got) ?? String(got)}. ${fix}`,
  );
}
