/**
 * Translated test icons held against the true drawings, file by file. Translates nothing.
 */
import { readdir } from 'node:fs/promises';
import { join, parse } from 'node:path';
import { loadTestImage, measurePair } from '@cyclegan/train';
import type { DemoDirection, DemoResult } from './scores.js';

export interface MeasureDirectionOptions {
  /** What the styles are called. */
  from: string;
  to: string;
  /** Folders whose PNG files have the same names: the icons, their translations, the true drawings. */
  inputs: string;
  outputs: string;
  answers: string;
  /** Edge of the images, pixels; at least 11. */
  size: number;
}

/**
 * Measures every icon in `answers`, in the order of their names.
 * @throws CycleganError `input` naming a picture that is missing or cannot be read
 */
export async function measureDirection(options: MeasureDirectionOptions): Promise<DemoDirection> {
  const { from, to, inputs, outputs, answers, size } = options;
  const files = (await readdir(answers)).filter((file) => file.endsWith('.png')).sort();
  const results: DemoResult[] = [];
  for (const file of files) {
    const paths = { input: join(inputs, file), output: join(outputs, file), answer: join(answers, file) };
    const [input, output, answer] = await Promise.all([
      loadTestImage(paths.input, size),
      loadTestImage(paths.output, size),
      loadTestImage(paths.answer, size),
    ]);
    const against = (image: Float32Array) =>
      measurePair({ image, reference: answer, channels: 3, height: size, width: size });
    results.push({
      name: parse(file).name,
      ...paths,
      metrics: against(output),
      baseline: against(input),
    });
  }
  return { from, to, results };
}
