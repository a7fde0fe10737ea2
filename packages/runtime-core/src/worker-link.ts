/**
 * The line between a program and its worker: calls with answers over any message port, errors with their codes,
 * pixels moved instead of copied. What is said over it is worker-protocol.ts.
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
 * in arguments and results, however deep, is transferred: it is gone on this side afterwards.
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

function pixelBuffers(value: unknown): ArrayBuffer[] {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return [];
  if ('data' in value && 'width' in value && ArrayBuffer.isView(value.data)) {
    return value.data.buffer instanceof ArrayBuffer ? [value.data.buffer] : [];
  }
  const parts = Array.isArray(value) ? value : Object.values(value);
  return parts.flatMap(pixelBuffers);
}
