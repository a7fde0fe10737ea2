/**
 * A bundle as the browser gets it, over HTTP or as files in hand: manifest checked, model file bounded, hashed and
 * counted while it comes. Keeps nothing beyond the call; the browser's HTTP cache does that.
 */
import {
  type CallOptions,
  CycleganError,
  checkModelFile,
  type Manifest,
  type ModelEntry,
  parseManifest,
  throwIfAborted,
} from '@cyclegan/runtime-core';
import { pageUrl } from './urls.js';

/** The URL of a folder (or of the manifest in it), or the files themselves by name, `manifest.json` among them. */
export type BundleSource = string | URL | Readonly<Record<string, Blob>>;

export interface Bundle {
  manifest: Manifest;
  /**
   * The model file, whole. Its SHA-256 is compared where the page has crypto.subtle (HTTPS or localhost), its size
   * always.
   * @throws CycleganError `bundle`, `aborted`
   */
  readModel(model: ModelEntry, options: CallOptions): Promise<Blob>;
}

/** Sixty-four models with two patches of four megabytes each are more than any bundle holds. */
const MAX_MANIFEST_BYTES = 64 * 1024 * 1024;

interface ReadOptions extends CallOptions {
  /** More bytes than this are not read. */
  limit: number;
}

/** Gives a file of the bundle by name. */
interface Files {
  /** For messages. */
  where(name: string): string;
  read(name: string, options: ReadOptions): Promise<Blob>;
}

/** @throws CycleganError `bundle`, `aborted` */
export async function openBundle(source: BundleSource, signal?: AbortSignal): Promise<Bundle> {
  const { files, name } = locate(source);
  const where = files.where(name);
  const text = await (await files.read(name, { limit: MAX_MANIFEST_BYTES, signal })).text();
  const manifest = parseManifest(parseJson(text, where), where);
  return {
    manifest,
    async readModel(model, options) {
      const file = await files.read(model.file, { ...options, limit: model.bytes });
      const at = files.where(model.file);
      checkModelFile(model, { bytes: file.size }, at);
      if (globalThis.crypto?.subtle) {
        checkModelFile(model, { bytes: file.size, sha256: await sha256(file) }, at);
      }
      throwIfAborted(options.signal, '[bundle] download');
      return file;
    },
  };
}

function locate(source: BundleSource): { files: Files; name: string } {
  if (typeof source !== 'string' && !(source instanceof URL)) {
    return { files: givenFiles(source), name: 'manifest.json' };
  }
  const url = pageUrl(source);
  const name = new URL(url).pathname.match(/[^/]+\.json$/)?.[0];
  const folder = name === undefined ? pageUrl(source, '/') : url;
  return { files: fetchedFiles(folder), name: name ?? 'manifest.json' };
}

function givenFiles(given: Readonly<Record<string, Blob>>): Files {
  return {
    where: (name) => name,
    async read(name, { limit, onProgress }) {
      const file = given[name];
      if (!file) {
        const names = Object.keys(given).join(', ') || 'none';
        throw unreadable(name, 'it among the files given', names);
      }
      if (file.size > limit) throw tooLarge(name, limit);
      onProgress?.({ stage: 'download', done: file.size, total: file.size });
      return file;
    },
  };
}

function fetchedFiles(folder: string): Files {
  const where = (name: string) => new URL(name, folder).href;
  return {
    where,
    async read(name, options) {
      const url = where(name);
      try {
        const response = await fetch(url, { signal: options.signal ?? null });
        if (!response.ok) throw unreadable(url, 'a file of the bundle', `HTTP status ${response.status}`);
        return await readBody(response, url, options);
      } catch (cause) {
        throwIfAborted(options.signal, '[bundle] download');
        if (cause instanceof CycleganError) throw cause;
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw unreadable(url, 'a file that this page may fetch', `"${reason}"`, cause);
      }
    },
  };
}

async function readBody(response: Response, url: string, options: ReadOptions): Promise<Blob> {
  const { limit, onProgress } = options;
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let done = 0;
  const reader = response.body?.getReader();
  for (let part = await reader?.read(); part?.value; part = await reader?.read()) {
    done += part.value.length;
    if (done > limit) {
      await reader?.cancel();
      throw tooLarge(url, limit);
    }
    parts.push(part.value);
    onProgress?.({ stage: 'download', done, total: limit });
  }
  return new Blob(parts);
}

async function sha256(file: Blob): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', await file.arrayBuffer());
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw unreadable(where, 'JSON', `"${text.slice(0, 40)}"`, cause);
  }
}

function tooLarge(where: string, limit: number): CycleganError {
  return unreadable(where, `at most ${limit} bytes`, 'more');
}

function unreadable(where: string, expected: string, got: string, cause?: unknown): CycleganError {
  return new CycleganError(
    'bundle',
    `[bundle] ${where}: expected ${expected}, got ${got}. Check the address, or export the bundle again.`,
    cause === undefined ? {} : { cause },
  );
}
