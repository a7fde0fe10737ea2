/**
 * Keeps few large files in memory at a time: files go in while those inside, by the bytes that they have on disk,
 * leave room. Small ones never wait; the number of files is bounded elsewhere.
 */
import { stat } from 'node:fs/promises';

/** Some eight photos of a good camera, whose pixels are some ten times as many bytes. */
const CAPACITY = 64 * 1024 * 1024;

export interface Gate {
  /** Resolves, in the order of the calls, with what is to be called when the file is done. */
  enter(path: string): Promise<() => void>;
}

export function createGate(capacity = CAPACITY): Gate {
  const waiting: { size: number; go: () => void }[] = [];
  let inside = 0;
  const admit = () => {
    for (let first = waiting[0]; first && inside + first.size <= capacity; first = waiting[0]) {
      inside += first.size;
      waiting.shift();
      first.go();
    }
  };
  return {
    async enter(path) {
      const found = await stat(path).catch(() => undefined);
      // One that is larger goes in alone.
      const size = Math.min(found?.size ?? 0, capacity);
      await new Promise<void>((go) => {
        waiting.push({ size, go });
        admit();
      });
      return () => {
        inside -= size;
        admit();
      };
    },
  };
}
