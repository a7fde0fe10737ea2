/** A worker's own end of the line to its page. Apart from workers.ts, so that no worker's bundle holds the workers. */
import type { Port } from '@cyclegan/runtime-core';

export function workerPort(): Port {
  return {
    post: (message, transfer) => self.postMessage(message, { transfer }),
    onMessage: (listener) => self.addEventListener('message', (event) => listener(event.data)),
  };
}
