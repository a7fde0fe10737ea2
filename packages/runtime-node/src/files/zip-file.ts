/**
 * A ZIP that grows on disk entry by entry: stored, not deflated, for images are packed already; ZIP64 where it gets
 * large. Holds the bytes of one entry at a time and the list of names; knows no images.
 */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';

export interface GrowingZip {
  /** Resolves when the entry's bytes are on their way to the disk. Calls may overlap; their entries follow each other. */
  add(name: string, bytes: Uint8Array): Promise<void>;
  /** Writes the directory at the end; the file is whole when this resolves. */
  close(): Promise<void>;
  /** Ends a ZIP that is not wanted any more: its file is released, and is no ZIP. */
  abandon(): Promise<void>;
}

/**
 * Begins a file; one that is there is replaced.
 * @throws each call rejects with what writing throws
 */
export function createZip(path: string): GrowingZip {
  const zip = new ZipFile();
  const stop = new AbortController();
  const written = pipeline(zip.outputStream, createWriteStream(path), { signal: stop.signal });
  const broken = new AbortController();
  written.catch((error) => broken.abort(error));
  let last: Promise<unknown> = Promise.resolve();

  async function append(name: string, bytes: Uint8Array): Promise<void> {
    const source = Readable.from(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    // Bytes that are handed to yazl itself stay in memory to the end.
    zip.addReadStreamLazy(name, { compress: false, size: bytes.length }, (give) => give(null, source));
    await once(source, 'close', { signal: broken.signal }).catch(() => broken.signal.throwIfAborted());
  }

  return {
    add(name, bytes) {
      const added = last.then(() => append(name, bytes));
      last = added.catch(() => undefined);
      return added;
    },
    async close() {
      await last;
      zip.end();
      await written;
    },
    async abandon() {
      stop.abort();
      await written.catch(() => undefined);
    },
  };
}
