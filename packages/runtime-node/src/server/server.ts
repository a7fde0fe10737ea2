/**
 * The server as a library: a bundle's folder in, an HTTP server out that listens, tells when it is ready, and finishes
 * what it has accepted before it closes. Reads no environment and handles no signals.
 */
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { CycleganError } from '@cyclegan/runtime-core';
import type { FastifyServerOptions } from 'fastify';
import { readBundle } from '../translator/bundle.js';
import { type AccessOptions, createAccess } from './access.js';
import { createApp } from './app.js';
import { assertWhole, completeLimits, type Limits, MOST_SECONDS } from './limits.js';
import { readPage } from './page.js';
import { createService, type ServiceOptions } from './service.js';

export interface ServerOptions
  extends Omit<ServiceOptions, 'manifest' | 'limits'>,
    Omit<AccessOptions, 'host'> {
  /** Where to listen; default 127.0.0.1, which this machine alone reaches. Any other needs a token. */
  host?: string | undefined;
  /** Default 8080; 0 takes any that is free. */
  port?: number | undefined;
  limits?: Partial<Limits> | undefined;
  /** Seconds that `close` lets requests go on for; default 30. */
  shutdownSeconds?: number | undefined;
  /** As fastify takes it (pino's options, and `stream`); default none. */
  logger?: FastifyServerOptions['logger'];
}

export interface Server {
  /**
   * Listens, and begins to load the model; images are refused with 503 until `ready`.
   * @returns the address, as http://127.0.0.1:8080
   * @throws CycleganError `usage` for an address that is taken, or not this machine's
   */
  listen(): Promise<string>;
  /** Where it listens; null before. */
  readonly url: string | null;
  /**
   * Settles when the model is loaded.
   * @throws CycleganError as `createTranslator` does
   */
  ready(): Promise<void>;
  /** Takes no image any more, finishes those it has within `shutdownSeconds`, and frees all. Idempotent. */
  close(): Promise<void>;
}

const DEFAULT_PORT = 8080;
const DEFAULT_SHUTDOWN_SECONDS = 30;
/** For the answers that tell of the end. */
const LAST_WORDS_MS = 500;

/**
 * Reads the bundle's manifest and makes the server; it does not listen yet.
 * @throws CycleganError `bundle`; `usage` for a limit, port or token that is none, and for an address that others reach
 * without a token
 */
export async function createServer(options: ServerOptions): Promise<Server> {
  const { token, open, hostNames, logger, shutdownSeconds = DEFAULT_SHUTDOWN_SECONDS, ...rest } = options;
  const { host: asked = '127.0.0.1', port = DEFAULT_PORT, limits: given, ...settings } = rest;
  // One address, where the name may stand for two.
  const host = asked === 'localhost' ? '127.0.0.1' : asked;
  const access = createAccess({ host, token, open, hostNames });
  const limits = completeLimits(given);
  assertWhole('port', port, 0, 65_535);
  assertWhole('shutdownSeconds', shutdownSeconds, 0, MOST_SECONDS);
  if (settings.concurrency !== undefined) assertWhole('concurrency', settings.concurrency, 1, 256);
  const { manifest } = await readBundle(settings.bundle);
  const service = createService({ ...settings, manifest, limits });
  const page = await readPage();
  const app = await createApp({ service, access, page, token: token !== undefined, logger });
  let url: string | null = null;
  let loading: Promise<void> | undefined;
  let closing: Promise<void> | undefined;

  async function load(): Promise<void> {
    try {
      await service.load();
      const { direction, precision, device, threads, workers, fallbacks } = service.info ?? {};
      app.log.info({ direction, precision, device, threads, workers, fallbacks }, 'ready');
    } catch (error) {
      if (service.state !== 'closing') app.log.error({ err: error }, 'not loaded');
      throw error;
    }
  }

  async function shutDown(): Promise<void> {
    service.stopTaking();
    app.log.info({ requests: service.visits.size }, 'closing');
    const timer = new AbortController();
    const late = delay(1000 * shutdownSeconds, undefined, { signal: timer.signal }).catch(() => {});
    await Promise.race([service.visits.idle(), late]);
    timer.abort();
    service.visits.abortAll(service.closing());
    await Promise.race([service.visits.idle(), delay(LAST_WORDS_MS)]);
    app.server.closeAllConnections();
    await app.close();
    await service.turns.idle();
    await service.translators.dispose();
    await loading?.catch(() => {});
    app.log.info('closed');
  }

  return {
    async listen() {
      try {
        await app.listen({ host, port });
      } catch (cause) {
        throw notListening(cause, host, port);
      }
      url = urlOf(app.server.address());
      loading = load();
      // Told by `ready`, for whoever asks.
      loading.catch(() => {});
      return url;
    },
    get url() {
      return url;
    },
    async ready() {
      await loading;
    },
    close() {
      closing ??= shutDown();
      return closing;
    },
  };
}

function urlOf(address: AddressInfo | string | null): string {
  if (typeof address !== 'object' || address === null) throw new Error('internal: no address');
  const { family, address: host, port } = address;
  return `http://${family === 'IPv6' ? `[${host}]` : host}:${port}`;
}

function notListening(cause: unknown, host: string, port: number): CycleganError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'an error';
  const got =
    {
      EADDRINUSE: 'one that another program listens on',
      EADDRNOTAVAIL: "one that is not this machine's",
      EACCES: 'one that this user may not open',
    }[code] ?? code;
  return new CycleganError(
    'usage',
    `[server] listen: expected an address that is free, got ${host} port ${port}, ${got}. Choose another, or port 0 for any that is free.`,
    { cause },
  );
}
