/**
 * Requests by their connection: each gets a signal that fires when its client has gone or its time is over, so that
 * work nobody waits for is dropped. Answers nothing itself.
 */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Problem } from './problem.js';

export interface Visit {
  /** Fires with a Problem as its reason: the client has gone, its time is over, or the server closes. */
  readonly signal: AbortSignal;
  /** Begins to count the time. */
  startClock(seconds: number): void;
  /** Calls back when the answer is out or its client has gone; at once where that is so already. */
  atEnd(callback: () => void): void;
}

export interface Visits {
  /** Requests that are being answered. */
  readonly size: number;
  /** @param response tells by its `close` when the visit is over */
  begin(socket: Socket, response: ServerResponse): Visit;
  /** Whether an answer of the server's own may be written to the connection without breaking into another one. */
  mayAnswer(socket: Socket): boolean;
  /** Fires all signals. */
  abortAll(reason: Problem): void;
  /** Settles when no request is being answered. */
  idle(): Promise<void>;
}

/** Never sent: there is nobody to send it to. The log shows it as 499, as proxies do. */
export const CLIENT_GONE = 499;

interface Entry {
  controller: AbortController;
  callbacks: (() => void)[];
  clock?: NodeJS.Timeout;
}

export function createVisits(): Visits {
  const bySocket = new Map<Socket, Map<ServerResponse, Entry>>();
  const idlers = new Set<() => void>();
  let size = 0;

  /** One listener for a connection, however many requests are sent over it without waiting for answers. */
  function requestsOf(socket: Socket): Map<ServerResponse, Entry> {
    const known = bySocket.get(socket);
    if (known) return known;
    const requests = new Map<ServerResponse, Entry>();
    bySocket.set(socket, requests);
    socket.once('close', () => {
      bySocket.delete(socket);
      for (const response of [...requests.keys()]) end(requests, response);
    });
    return requests;
  }

  function end(requests: Map<ServerResponse, Entry>, response: ServerResponse): void {
    const entry = requests.get(response);
    if (!entry) return;
    requests.delete(response);
    clearTimeout(entry.clock);
    if (!response.writableFinished) {
      entry.controller.abort(new Problem(CLIENT_GONE, 'bad-request', 'The client has gone.'));
    }
    size -= 1;
    for (const callback of entry.callbacks) callback();
    if (size > 0) return;
    for (const resolve of idlers) resolve();
    idlers.clear();
  }

  return {
    get size() {
      return size;
    },
    begin(socket, response) {
      const requests = requestsOf(socket);
      const controller = new AbortController();
      const entry: Entry = { controller, callbacks: [] };
      requests.set(response, entry);
      size += 1;
      response.once('close', () => end(requests, response));
      // Whoever went before this will not be told of again.
      if (socket.destroyed) {
        bySocket.delete(socket);
        end(requests, response);
      }
      return {
        signal: controller.signal,
        startClock(seconds) {
          entry.clock = setTimeout(() => {
            const detail = `The image could not be translated within ${seconds} seconds. Send a smaller one, or try again later.`;
            controller.abort(
              new Problem(503, 'too-slow', detail, { headers: { 'Retry-After': String(seconds) } }),
            );
          }, seconds * 1000);
        },
        atEnd(callback) {
          if (requests.has(response)) entry.callbacks.push(callback);
          else callback();
        },
      };
    },
    mayAnswer(socket) {
      const [first, second] = bySocket.get(socket)?.keys() ?? [];
      return second === undefined && first?.headersSent !== true;
    },
    abortAll(reason) {
      for (const requests of bySocket.values()) {
        for (const { controller } of requests.values()) controller.abort(reason);
      }
    },
    idle() {
      return size === 0 ? Promise.resolve() : new Promise((resolve) => idlers.add(resolve));
    },
  };
}
