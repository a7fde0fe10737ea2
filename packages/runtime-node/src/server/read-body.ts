/** Bodies of requests as bytes: bounded, and counted against the budget while they come in. Parses nothing. */
import type { Readable } from 'node:stream';
import type { Share } from './budget.js';
import { Problem } from './problem.js';

/**
 * @param limit bytes
 * @throws Problem 413 above the limit, 503 when the budget is used up, 400 for a body that breaks off, the signal's
 * reason
 */
export async function readBody(
  body: Readable,
  { limit, share, signal }: { limit: number; share: Share; signal: AbortSignal },
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void) => {
      body.off('data', onData).off('end', onEnd).off('error', onBroken).off('close', onBroken);
      signal.removeEventListener('abort', onAbort);
      finish();
    };
    // What comes after a refusal is let run off, so that the client gets to read the answer.
    const refuse = (reason: unknown) =>
      settle(() => {
        body.on('error', () => {});
        body.resume();
        reject(reason);
      });
    const onData = (chunk: Buffer) => {
      length += chunk.length;
      try {
        if (length > limit) throw tooManyBytes(limit);
        share.take(chunk.length);
        chunks.push(chunk);
      } catch (problem) {
        refuse(problem);
      }
    };
    const onEnd = () => settle(() => resolve(Buffer.concat(chunks, length)));
    const onBroken = () =>
      refuse(new Problem(400, 'bad-request', 'Expected a whole body, got one that breaks off.'));
    const onAbort = () => refuse(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    body.on('data', onData).on('end', onEnd).on('error', onBroken).on('close', onBroken);
    if (signal.aborted) onAbort();
  });
}

export function tooManyBytes(limit: number): Problem {
  return new Problem(
    413,
    'image-too-large',
    `Expected an image file of at most ${limit} bytes. Send a smaller one.`,
  );
}
