/**
 * The container that PyTorch writes since 1.6: a zip file of `NAME/data.pkl`, the storages as `NAME/data/KEY`, and
 * notes on the format. The zip itself is read by yauzl.
 */
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { isCycleganError } from '@cyclegan/runtime-core';
import { type Entry, fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from 'yauzl';
import { type Contents, MAX_PICKLE_BYTES, mostBytes } from './contents.js';
import { damaged, refused, SAVE_WEIGHTS, short } from './errors.js';
import { type OpenFile, type Range, rangeIn, rangeOf, readBytes } from './file-bytes.js';
import { PickleReader } from './pickle.js';
import { storagesOf } from './storage-id.js';

/** All four networks of a CycleGAN and their optimizers have some 500. */
const MAX_ENTRIES = 10_000;

/** @throws CycleganError `bundle` for a zip file that is not sound, and for one that torch.save did not write */
export async function readZip(file: OpenFile): Promise<Contents> {
  const archive = await openArchive(file);
  const [name, ...others] = [...archive.names].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (name === undefined || others.length > 0) {
    throw damaged(file.path, 'a zip file with one data.pkl', name === undefined ? 'none' : 'several');
  }
  const prefix = name.slice(0, -'data.pkl'.length);
  await checkFormat(archive, prefix, file);
  const pickle = new PickleReader(await readSmall(archive, name, file), file.path);
  pickle.persistent = storagesOf(file.path).persistent;
  return {
    file,
    root: pickle.read(),
    find: (storage) => archive.range(`${prefix}data/${storage.key}`, storage.bytes),
  };
}

async function checkFormat(archive: Archive, prefix: string, file: OpenFile): Promise<void> {
  const isScript = (name: string) => name === `${prefix}constants.pkl` || name.startsWith(`${prefix}code/`);
  if ([...archive.names].some(isScript)) {
    throw refused(file.path, 'weights', 'a TorchScript archive, which is a program', SAVE_WEIGHTS);
  }
  if (!archive.names.has(`${prefix}byteorder`)) return;
  const order = Buffer.from(await readSmall(archive, `${prefix}byteorder`, file)).toString();
  if (order !== 'little') {
    throw refused(
      file.path,
      'byte order "little"',
      JSON.stringify(order.slice(0, 20)),
      'Save it on a machine of the usual byte order.',
    );
  }
}

async function readSmall(archive: Archive, name: string, file: OpenFile): Promise<Uint8Array> {
  const most = Math.min(MAX_PICKLE_BYTES, mostBytes(file));
  const size = archive.sizeOf(name);
  if (size > most) throw damaged(file.path, `at most ${most} bytes of ${name}`, `${size}`);
  return readBytes(await archive.range(name, size), `${file.path}: ${name}`);
}

interface Archive {
  readonly names: { has(name: string): boolean } & Iterable<string>;
  sizeOf(name: string): number;
  /** @throws CycleganError `bundle` when there is no such entry, of this size and within the file */
  range(name: string, size: number): Promise<Range>;
}

async function openArchive(file: OpenFile): Promise<Archive> {
  const sound = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (isCycleganError(error)) throw error;
      const got = error instanceof Error ? `"${error.message}"` : String(error);
      throw damaged(file.path, 'a sound zip file', got, error);
    }
  };
  const zip = await sound(() =>
    fromRandomAccessReaderPromise(new FileReader(file), file.size, { autoClose: false }),
  );
  const entries = await sound(() => readEntries(zip, file));
  const ends = placesOf(entries, file);
  const entryOf = (name: string) => {
    const entry = entries.get(name);
    if (!entry) throw damaged(file.path, `the entry ${short(name)}`, 'none');
    return entry;
  };
  return {
    names: new Set(entries.keys()),
    sizeOf: (name) => entryOf(name).uncompressedSize,
    range: (name, size) =>
      sound(async () => {
        const entry = entryOf(name);
        if (entry.uncompressedSize !== size) {
          throw damaged(file.path, `${size} bytes of ${name}`, `${entry.uncompressedSize}`);
        }
        // Zero where PyTorch was told to take none.
        const crc = entry.crc32 || undefined;
        const { fileDataStart } = await zip.readLocalFileHeaderPromise(entry, { minimal: true });
        if (fileDataStart + entry.compressedSize > (ends.get(entry) ?? 0)) {
          throw damaged(file.path, `${name} to end before the next entry`, 'one that does not');
        }
        if (entry.compressionMethod === 0 && !entry.isEncrypted()) {
          return rangeOf(file, fileDataStart, size, crc);
        }
        return rangeIn(await buffer(await zip.openReadStreamPromise(entry)), crc);
      }),
  };
}

async function readEntries(zip: ZipFile, file: OpenFile): Promise<ReadonlyMap<string, Entry>> {
  const entries = new Map<string, Entry>();
  for await (const entry of zip.eachEntry()) {
    if (entries.has(entry.fileName)) {
      throw damaged(file.path, 'each entry once', `${short(entry.fileName)} twice`);
    }
    if (entries.size === MAX_ENTRIES) throw damaged(file.path, `at most ${MAX_ENTRIES} entries`, 'more');
    entries.set(entry.fileName, entry);
  }
  return entries;
}

/** Where each entry must have ended: at the next one's beginning. */
function placesOf(entries: ReadonlyMap<string, Entry>, file: OpenFile): ReadonlyMap<Entry, number> {
  const inOrder = [...entries.values()].sort(
    (one, other) => one.relativeOffsetOfLocalHeader - other.relativeOffsetOfLocalHeader,
  );
  return new Map(
    inOrder.map((entry, i) => [entry, inOrder[i + 1]?.relativeOffsetOfLocalHeader ?? file.size]),
  );
}

/** The open file as yauzl reads it. Places come from the file, and may be anywhere. */
class FileReader extends RandomAccessReader {
  readonly #file: OpenFile;

  constructor(file: OpenFile) {
    super();
    this.#file = file;
  }

  override read(
    into: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null, bytesRead: number) => void,
  ): void {
    const there = Math.max(Math.min(length, this.#file.size - position), 0);
    this.#file.read(into.subarray(offset, offset + there), position).then(
      () => callback(null, there),
      (error: Error) => callback(error, 0),
    );
  }

  override _readStreamForRange(start: number, end: number): Readable {
    const file = this.#file;
    return Readable.from(
      (async function* () {
        for (let at = start; at < end; at += 65_536) {
          const part = new Uint8Array(Math.min(65_536, end - at));
          await file.read(part, at);
          yield part;
        }
      })(),
    );
  }
}
