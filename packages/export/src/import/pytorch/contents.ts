/** What every container of PyTorch's gives: the object that was saved, and where its storages lie. */
import type { OpenFile, Range } from './file-bytes.js';
import type { PickleValue, Storage } from './values.js';

export interface Contents {
  readonly file: OpenFile;
  readonly root: PickleValue;
  /** @throws CycleganError `bundle` for a storage that is not there, or of another size than it is said to be */
  find(storage: Storage): Promise<Range>;
}

/** All four networks of a CycleGAN and their optimizers take 50 kB; what is far longer holds no weights but text. */
export const MAX_PICKLE_BYTES = 16 * 2 ** 20;

/**
 * What may be made of a file: some kinds of elements grow fourfold, repeated ones are written out, and zip files can
 * be compressed; what goes far beyond that is meant to do harm.
 */
export function mostBytes({ size }: OpenFile): number {
  return 16 * size + 2 ** 20;
}
