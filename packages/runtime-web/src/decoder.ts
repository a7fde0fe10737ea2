/**
 * The page's end of the decode worker: snapshots in, pixels out, nothing of it on the page's thread.
 */
import { CycleganError, connect, type Pixels } from '@cyclegan/runtime-core';
import type { DecodeFunctions } from './decode-worker.js';
import type { Snapshot } from './image.js';
import { startDecodeWorker } from './workers.js';

export interface Decoder {
  /** RGBA pixels in memory of their own. Takes the snapshot over. */
  decode(image: Snapshot): Promise<Pixels>;
  /** Ends the worker; what is being decoded then rejects. */
  dispose(): void;
}

export function createDecoder(): Decoder {
  const worker = startDecodeWorker();
  const link = connect<DecodeFunctions, object>({}, worker.port);
  worker.onFailure((cause) =>
    link.close(
      new CycleganError(
        'device',
        `[image] decode worker: expected it to live, got "${cause.message}". Reload the page.`,
        { cause },
      ),
    ),
  );
  return {
    async decode(image) {
      return 'channels' in image ? image : link.remote.decode(image);
    },
    dispose() {
      link.close(new CycleganError('aborted', '[translate] image: the translator was disposed.'));
      void worker.terminate();
    },
  };
}
