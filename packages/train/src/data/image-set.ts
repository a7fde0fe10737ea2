/**
 * The images of one domain: which there are, in an order that is the same on every machine, which of them cannot be
 * read, and each one as it is stored. Holds names and what headers say, no pixels.
 */
import { createHash } from 'node:crypto';
import { CycleganError } from '@cyclegan/runtime-core';
import { type Encoded, type Header, inspect, readHeader } from './decode.js';
import { type ImageEntry, listImages } from './image-list.js';
import { inParallel } from './parallel.js';

/** Up to this many images are read once before training begins; larger sets would keep the user waiting. */
export const CHECK_UP_TO = 10_000;

export interface OpenImageSetOptions {
  /** A folder of image files or of TFRecord files, or one TFRecord file. */
  path: string;
  /** Which domain the images are of, for messages. */
  domain: 'A' | 'B';
  /** Only the first so many, in the order of their names; the reference's `max_dataset_size`. */
  maxImages?: number | undefined;
  /** Readable images that there must be; default 2, since with fewer there is nothing to draw from. */
  atLeast?: number | undefined;
  /** Called with one sentence for each file that is left out, those of a foreign kind first. */
  onWarning?: ((message: string) => void) | undefined;
  /** Called while files are checked, once that has taken two seconds, and then at their end. */
  onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
  signal?: AbortSignal | undefined;
}

export interface ImageSet {
  readonly path: string;
  readonly domain: 'A' | 'B';
  readonly kind: 'folder' | 'records';
  /**
   * Paths relative to `path` with `/` between the parts, in byte order; of a record the file's name, `#` and the
   * record's number from 1.
   */
  readonly files: readonly string[];
  /** How many images were left out because they cannot be read. */
  readonly skipped: number;
  /** Whether every image was read once; if not, an unreadable one is met, and replaced, during training. */
  readonly checked: boolean;
  /**
   * Two SHA-256 with a hyphen between: over the names, which is equal exactly when the same files would be drawn in
   * the same order, and over the sizes in bytes. {@link compareFingerprints} tells what changed.
   */
  readonly fingerprint: string;
  /**
   * An image as it is stored: the path of its file, or a record's bytes.
   * @throws for an image that is not there any more or damaged
   */
  read(index: number): Promise<Encoded>;
  /**
   * What the image's header says; read once, then remembered.
   * @throws for an image that cannot be used
   */
  header(index: number): Promise<Header>;
  /** Another string when the image may be another: made of its path, size and time of change when the set was opened. */
  identity(index: number): string;
}

/**
 * Lists the images of a folder, all the way down, or of TFRecord files, and reads each once when there are no more
 * than {@link CHECK_UP_TO}. Names that begin with a dot are passed over.
 * @throws CycleganError `input`: no such folder, no images, too few readable ones, a damaged TFRecord file;
 *   `aborted`
 */
export async function openImageSet(options: OpenImageSetOptions): Promise<ImageSet> {
  const { path, domain, maxImages, atLeast = 2, onWarning } = options;
  const { kind, entries, foreign } = await listImages(path, domain, options.signal);
  const found: Image[] = entries
    .slice(0, maxImages)
    .map((entry) => ({ entry, header: undefined, fault: undefined }));
  const checked = found.length <= CHECK_UP_TO;
  if (checked) await check(found, options);
  for (const name of foreign) {
    onWarning?.(`[train] folder ${domain}: ${name} cannot be read; convert it to PNG; skipped.`);
  }
  const faulty = found.filter(({ fault }) => fault !== undefined);
  for (const { entry, fault } of faulty) {
    onWarning?.(`[train] folder ${domain}: ${entry.name} ${fault}; skipped.`);
  }
  const skipped = faulty.length + foreign.length;
  const images = found.filter(({ fault }) => fault === undefined);
  if (images.length < atLeast) {
    const [first] = faulty;
    const reason = first ? `; ${first.entry.name} ${first.fault}` : '';
    throw new CycleganError(
      'input',
      `[train] folder ${domain}, ${path}: expected at least ${atLeast === 2 ? 'two' : atLeast} readable images, got ${images.length} (${skipped} skipped${reason}). Add images or mend the files.`,
    );
  }
  const at = (index: number): Image => {
    const image = images[index];
    if (!image) throw new Error(`internal: no image ${index} in a set of ${images.length}`);
    return image;
  };
  const names = images.map(({ entry }) => entry.name);
  const sizes = images.map(({ entry }) => entry.bytes);
  return {
    path,
    domain,
    kind,
    files: names,
    skipped,
    checked,
    fingerprint: `${digest(names.join('\0'))}-${digest(sizes.join())}`,
    read: (index) => at(index).entry.read(),
    async header(index) {
      const image = at(index);
      image.header ??= await readHeader(await image.entry.read());
      return image.header;
    },
    identity: (index) => at(index).entry.identity,
  };
}

/**
 * What a fingerprint that was kept says of a set opened now. One of version 0.1 has no sizes; then names decide.
 * @returns `same`; `changed` when files of the same names have other sizes; `other` when other files would be drawn
 */
export function compareFingerprints(kept: string, now: string): 'same' | 'changed' | 'other' {
  const [keptNames, keptSizes] = kept.split('-');
  const [names, sizes] = now.split('-');
  if (keptNames !== names) return 'other';
  return keptSizes === undefined || keptSizes === sizes ? 'same' : 'changed';
}

/** An image and what is known of it. */
interface Image {
  readonly entry: ImageEntry;
  header: Header | undefined;
  /** Why it cannot be used. */
  fault: string | undefined;
}

async function check(
  images: readonly Image[],
  { domain, onProgress, signal }: OpenImageSetOptions,
): Promise<void> {
  const look = async (image: Image) => {
    const found = await inspect(image.entry.read);
    if (typeof found === 'string') image.fault = found;
    else image.header = found;
  };
  await inParallel(images, look, { what: `[train] checking folder ${domain}`, onProgress, signal });
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
