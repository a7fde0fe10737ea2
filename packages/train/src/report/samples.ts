/** The sample pictures of a run folder: which there are, and which of many to show. Decodes none. */
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PNG_HEADER_BYTES, pngHeader } from '../png-header.js';

export interface Sample {
  step: number;
  /** A PNG file. */
  path: string;
}

/** The sample pictures of a run folder, by step; none when there is no such folder. */
export async function listSamples(run: string): Promise<Sample[]> {
  const names = await readdir(join(run, 'samples')).catch(() => []);
  return names
    .filter((name) => /^\d{1,15}\.png$/.test(name))
    .map((name) => ({ step: Number.parseInt(name, 10), path: join(run, 'samples', name) }))
    .sort((left, right) => left.step - right.step);
}

/**
 * At most `most` of the samples: the first, the last, and between them every second, fourth, eighth …, so that a
 * growing run shows ever fewer of the old ones and never one that it had left out.
 */
export function chooseSamples(samples: readonly Sample[], most: number): Sample[] {
  let every = 1;
  while (Math.ceil((samples.length - 1) / every) + 1 > most) every *= 2;
  return samples.filter((_, at) => at % every === 0 || at === samples.length - 1);
}

/**
 * Width over height of a sample picture.
 * @throws the file system's error for a file that cannot be read
 */
export async function sampleRatio({ path }: Sample): Promise<number> {
  const file = await open(path);
  try {
    const { buffer } = await file.read(new Uint8Array(PNG_HEADER_BYTES), 0, PNG_HEADER_BYTES, 0);
    const { width, height } = pngHeader(buffer) ?? { width: 1, height: 1 };
    return width / height;
  } finally {
    await file.close();
  }
}
