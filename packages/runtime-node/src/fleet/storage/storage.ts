/**
 * What a fleet needs of a place with images: to list, to read, to write whole. One backend a file beside this one;
 * names are in slashes and below the place, on every system.
 */
import { CycleganError } from '@cyclegan/runtime-core';

export interface StoredImage {
  /** Below the place. */
  name: string;
  /** Differs when the image does: size and time of a file, ETag of an object. */
  version: string;
}

export interface Storage {
  /** The place, as it is named in a batch. */
  readonly place: string;
  /**
   * Images in an order that stays the same; those below `without` are left out.
   * @throws CycleganError `input` for a place that is missing, `unavailable`
   */
  list(options?: {
    without?: string | undefined;
    signal?: AbortSignal | undefined;
  }): AsyncIterable<StoredImage>;
  /** One image that is named. @throws as `read` */
  find(name: string): Promise<StoredImage>;
  /**
   * @throws CycleganError `input` for what is not there, may not be read or is larger than {@link MOST_BYTES};
   * `unavailable` for what another try may bring
   */
  read(name: string): Promise<Uint8Array>;
  has(name: string): Promise<boolean>;
  /**
   * Whoever looks finds the whole of it or what was there before.
   * @param type the media type
   * @throws CycleganError `output`, `unavailable`
   */
  write(name: string, bytes: Uint8Array, type: string, attempt: Attempt): Promise<void>;
  /**
   * Makes the place ready for outputs.
   * @throws CycleganError `output` where it cannot be written, `unavailable`
   */
  prepare(): Promise<void>;
  /** Takes away what earlier attempts, whose worker was killed, left beside the name. */
  tidy(name: string, attempt: Attempt): Promise<void>;
}

/** Tells one try to write an image from the others. */
export interface Attempt {
  /** Of the image, the same at every try: letters, digits and hyphens. */
  image: string;
  /** From 1. */
  number: number;
}

/** Of one image file; bounds what a worker takes into memory. */
export const MOST_BYTES = 512 * 2 ** 20;

/**
 * Refuses names that lead out of their place: they come from a queue that others may write to.
 * @throws CycleganError `input`
 */
export function assertInside(name: string): void {
  const parts = name.split(/[/\\]/);
  const plain = process.platform === 'win32' ? !/[\\:]/.test(name) : true;
  if (plain && !name.includes('\0') && !parts.some((part) => part === '' || part === '.' || part === '..'))
    return;
  throw new CycleganError(
    'input',
    `[fleet] ${JSON.stringify(name)}: expected the name of a file below its folder, got one that leads elsewhere. Submit the batch again.`,
  );
}

export function tooLarge(what: string, bytes: number): CycleganError {
  return new CycleganError(
    'input',
    `[fleet] ${what}: expected at most ${MOST_BYTES / 2 ** 20} MB, got ${Math.ceil(bytes / 2 ** 20)}. Scale it first.`,
  );
}
