/**
 * From the files and folders that a user names to pairs of input and output path. Reads names, not images.
 */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, realpath, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join, parse, relative, resolve, sep } from 'node:path';
import { CycleganError } from '@cyclegan/runtime-core';

export type ImageFormat = 'png' | 'jpg' | 'webp';

/** `keep` writes JPEG for JPEG and WebP for WebP, and PNG, which loses nothing, for all else. */
export type OutputFormat = 'keep' | ImageFormat;

export interface FileJob {
  input: string;
  output: string;
  format: ImageFormat;
}

const FORMATS = new Map<string, ImageFormat>([
  ['.jpg', 'jpg'],
  ['.jpeg', 'jpg'],
  ['.png', 'png'],
  ['.webp', 'webp'],
]);

/** What is taken from folders; a file that is named itself is always tried. */
const IMAGE_EXTENSIONS = new Set([...FORMATS.keys(), '.tif', '.tiff', '.gif', '.avif', '.ppm', '.bmp']);

/**
 * Lists the images and says where each translation goes: the structure below a folder is kept, files go to the top.
 * Where two would get the same name, the later one gets `-2`, `-3`…; a file that is named twice is taken once.
 * @param options.out is made if it is not there; when it lies below an input folder, it is not searched
 * @throws CycleganError `input` for a path that is missing or a folder without images; `output` for a folder that
 * cannot be written, or where a translation would replace an input
 */
export async function planFileJobs(options: {
  inputs: readonly string[];
  out: string;
  format: OutputFormat;
}): Promise<FileJob[]> {
  const { inputs, out, format } = options;
  const found = new Map<string, { input: string; name: string }>();
  for (const input of inputs) {
    for (const image of await listImages(input, resolve(out))) {
      const path = resolve(image.input);
      if (!found.has(path)) found.set(path, image);
    }
  }
  const taken = new Set<string>();
  const jobs = Array.from(found.values(), ({ input, name }): FileJob => {
    const { dir, name: stem, ext } = parse(name);
    const own = FORMATS.get(ext.toLowerCase());
    const kind = format === 'keep' ? (own ?? 'png') : format;
    const extension = own === kind ? ext : `.${kind}`;
    return { input, output: join(out, freeName(join(dir, stem), extension, taken)), format: kind };
  });
  await assertNoInputReplaced(jobs);
  await assertWritable(out);
  return jobs;
}

async function listImages(input: string, out: string): Promise<{ input: string; name: string }[]> {
  const found = await stat(input).catch((cause) => {
    throw refused(input, 'a file or folder', `"${cause.message}"`, cause);
  });
  if (!found.isDirectory()) return [{ input, name: basename(input) }];
  const outInside = out.startsWith(resolve(input) + sep);
  const entries = await readdir(input, { recursive: true, withFileTypes: true });
  const images = entries
    .filter(
      (entry) =>
        !entry.name.startsWith('.') &&
        IMAGE_EXTENSIONS.has(parse(entry.name).ext.toLowerCase()) &&
        !entry.isDirectory(),
    )
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !outInside || !resolve(path).startsWith(out + sep))
    .sort();
  if (images.length === 0) throw refused(input, 'a folder with images', 'none');
  return images.map((path) => ({ input: path, name: relative(input, path) }));
}

function refused(path: string, expected: string, got: string, cause?: unknown): CycleganError {
  return new CycleganError(
    'input',
    `[translate] ${path}: expected ${expected}, got ${got}. Check the path.`,
    { cause },
  );
}

/** Compared in lower case, because some file systems do. */
function freeName(stem: string, extension: string, taken: Set<string>): string {
  let name = stem + extension;
  for (let copy = 2; taken.has(name.toLowerCase()); copy += 1) name = `${stem}-${copy}${extension}`;
  taken.add(name.toLowerCase());
  return name;
}

/** By the identity of files, which sees through links and through names in other letters. */
async function assertNoInputReplaced(jobs: readonly FileJob[]): Promise<void> {
  const identity = async (path: string) => {
    const { dev, ino } = await stat(path, { bigint: true });
    return `${dev}:${ino}`;
  };
  const inputs = new Set<string>();
  for (const { input } of jobs) inputs.add(await identity(input));
  for (const { output } of jobs) {
    const existing = await identity(output).catch(() => undefined);
    if (existing !== undefined && inputs.has(existing)) {
      throw new CycleganError(
        'output',
        `[translate] ${output}: expected a place for a translation, got one of the inputs. Choose another output folder.`,
      );
    }
  }
}

async function assertWritable(out: string): Promise<void> {
  try {
    // Tried in what is there already: where that refuses as /proc does, Node's recursive mkdir never comes back.
    let parent = resolve(out);
    while (!existsSync(parent) && dirname(parent) !== parent) parent = dirname(parent);
    await rmdir(await mkdtemp(join(await realpath(parent), '.cyclegan-')));
    await mkdir(out, { recursive: true });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CycleganError(
      'output',
      `[translate] ${out}: expected a folder that can be written, got "${reason}". Choose another output folder.`,
      { cause },
    );
  }
}
