/**
 * The line between a program and its worker: calls with answers over any message port, errors with their codes,
 * pixels moved instead of copied. The two ends are translator-host.ts and translator-worker.ts.
 */
import { createBirpc } from 'birpc';
import { type ErrorData, errorFromData, errorToData } from './errors.js';

/** A message port of either platform: `node:worker_threads` or `Worker`. */
export interface Port {
  post(message: unknown, transfer: ArrayBuffer[]): void;
  onMessage(listener: (message: unknown) => void): void;
}

interface Message {
  a?: unknown[];
  r?: unknown;
  e?: unknown;
}

/** The functions of the other side, each with a promise of its answer. */
export type Remote<Functions> = {
  [Name in keyof Functions]: Functions[Name] extends (...args: infer Args) => infer Result
    ? (...args: Args) => Promise<Awaited<Result>>
    : never;
};

export interface Link<Functions> {
  remote: Remote<Functions>;
  /** Rejects what is pending and whatever is called later. */
  close(error: Error): void;
}

/**
 * Connects the functions on this side with those on the other. Pixel data (`{ data: Uint8Array, width, height }`)
 * among arguments and results is transferred: it is gone on this side afterwards.
 */
export function connect<Theirs extends object, Ours extends object>(ours: Ours, port: Port): Link<Theirs> {
  const rpc = createBirpc<Theirs, Ours>(ours, {
    post: (message: Message) => port.post(message, pixelBuffers(message)),
    on: (listener) => port.onMessage(listener),
    serialize: (message: Message) => ('e' in message ? { ...message, e: errorToData(message.e) } : message),
    deserialize: (message: Message) =>
      'e' in message ? { ...message, e: errorFromData(message.e as ErrorData) } : message,
    // Nobody waits for these, so that no answer can go unhandled.
    eventNames: ['report', 'abort'] as (keyof Theirs)[],
    // A translation takes as long as it takes.
    timeout: -1,
  });
  return { remote: rpc as unknown as Remote<Theirs>, close: (error) => rpc.$close(error) };
}

function pixelBuffers(message: Message): ArrayBuffer[] {
  return [...(message.a ?? []), message.r].flatMap((value) => {
    if (typeof value !== 'object' || value === null || !('width' in value && 'data' in value)) return [];
    const { data } = value;
    return ArrayBuffer.isView(data) && data.buffer instanceof ArrayBuffer ? [data.buffer] : [];
  });
}
