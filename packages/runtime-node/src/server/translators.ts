/**
 * The translators behind the server: opened when first asked for, shared by all requests, the longest unused one freed
 * when there are too many. Which models there are is the manifest's business.
 */
import { type Direction, isCycleganError, type Precision } from '@cyclegan/runtime-core';
import {
  createTranslator,
  type NodeTranslator,
  type NodeTranslatorOptions,
} from '../translator/translator.js';

/** What of a translator is the server's to choose; the rest comes with each request. */
export type TranslatorSettings = Omit<
  NodeTranslatorOptions,
  'direction' | 'precision' | 'signal' | 'onProgress'
>;

export interface Choice {
  direction: Direction;
  /** Left out: chosen by the manifest's figures. */
  precision?: Precision | undefined;
}

export interface Translators {
  /**
   * Opens the translator if need be, and keeps it open while `work` goes on.
   * @throws what opening throws, and what `work` throws
   */
  use<Result>(choice: Choice, work: (translator: NodeTranslator) => Promise<Result>): Promise<Result>;
  /** Frees all, and ends what is being opened. Idempotent; nothing may be in use. */
  dispose(): Promise<void>;
}

interface Entry {
  translator: Promise<NodeTranslator>;
  users: number;
}

/** Both directions in two precisions: more at a time would be a bundle's whole shelf in memory. */
const MOST = 4;

export function createTranslators(bundle: string, settings: TranslatorSettings): Translators {
  // The one unused for longest comes first.
  const entries = new Map<string, Entry>();
  const retired = new Set<Entry>();
  const ending = new AbortController();

  function find({ direction, precision }: Choice): Entry {
    const key = `${direction} ${precision ?? ''}`;
    const entry = entries.get(key) ?? {
      translator: createTranslator(bundle, { ...settings, direction, precision, signal: ending.signal }),
      users: 0,
    };
    entries.delete(key);
    entries.set(key, entry);
    // One that could not be opened is tried anew by the next request.
    entry.translator.catch(() => forget(entry));
    return entry;
  }

  function forget(entry: Entry): void {
    for (const [key, each] of entries) if (each === entry) entries.delete(key);
  }

  async function free(entry: Entry): Promise<void> {
    forget(entry);
    await (await entry.translator).dispose();
  }

  function retire(entry: Entry): void {
    if (![...entries.values()].includes(entry)) return;
    forget(entry);
    retired.add(entry);
  }

  async function tidy(): Promise<void> {
    for (const entry of [...retired]) {
      if (entry.users === 0 && retired.delete(entry)) await free(entry);
    }
    for (const entry of [...entries.values()]) {
      if (entries.size > MOST && entry.users === 0) await free(entry);
    }
  }

  return {
    async use(choice, work) {
      const entry = find(choice);
      entry.users += 1;
      try {
        return await work(await entry.translator);
      } catch (error) {
        // Its workers died too often: the next request gets new ones.
        if (isCycleganError(error) && error.code === 'device') retire(entry);
        throw error;
      } finally {
        entry.users -= 1;
        await tidy();
      }
    },
    async dispose() {
      ending.abort();
      await Promise.allSettled([...entries.values(), ...retired].map(free));
    },
  };
}
