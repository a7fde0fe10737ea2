/**
 * Who may ask: the bearer token, and the guards that keep web pages of other sites from reaching a server on this
 * machine through its user's browser. Decides only; the server's hooks call it.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { CycleganError } from '@cyclegan/runtime-core';
import { Problem } from './problem.js';

export interface AccessOptions {
  host: string;
  /** What requests must bring as `Authorization: Bearer …`. */
  token?: string | undefined;
  /** Said by whoever wants no token on an address that others reach. */
  open?: boolean | undefined;
  /** Names by which the server is asked for, beside those of this machine. */
  hostNames?: readonly string[] | undefined;
}

export interface Access {
  /** @throws Problem 401 */
  assertToken(authorization: string | undefined): void;
  /** @throws Problem 421 for a name that is not the server's, 403 for a page of another site */
  assertOwn(headers: { host?: string | undefined; origin?: string | undefined }): void;
}

const SHORTEST_TOKEN = 16;

/** @throws CycleganError `usage` for an address that others reach, without a token; for a token that is none */
export function createAccess({ host, token, open = false, hostNames = [] }: AccessOptions): Access {
  const loopback = isLoopback(host);
  if (token === undefined && !loopback && !open) {
    throw new CycleganError(
      'usage',
      `[server] host: expected a bearer token for ${host}, which other machines reach, got none. Give one with --token-file or CYCLEGAN_TOKEN, or say --no-auth.`,
    );
  }
  if (token !== undefined && !/^[\w.~+/-]+=*$/.test(token)) {
    throw new CycleganError(
      'usage',
      '[server] token: expected letters, digits and -._~+/ alone, got other characters. Make one with: openssl rand -hex 32.',
    );
  }
  if (token !== undefined && token.length < SHORTEST_TOKEN) {
    throw new CycleganError(
      'usage',
      `[server] token: expected at least ${SHORTEST_TOKEN} characters, got ${token.length}. Make one with: openssl rand -hex 32.`,
    );
  }
  const digest = token === undefined ? undefined : sha256(token);
  const names = new Set(hostNames.map((name) => name.toLowerCase()));

  return {
    assertToken(authorization) {
      if (!digest) return;
      const given = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
      // Digests are of one length, so that the comparison takes the same time for every wrong token.
      if (given !== undefined && timingSafeEqual(sha256(given), digest)) return;
      throw new Problem(401, 'unauthorized', 'Expected the header Authorization: Bearer, with the token.', {
        headers: { 'WWW-Authenticate': 'Bearer realm="cyclegan"' },
      });
    },
    assertOwn(headers) {
      const name = hostName(headers.host);
      // A page of a site whose name was pointed at this machine would be same-origin to the browser (DNS rebinding).
      const guarded = loopback || names.size > 0;
      if (guarded && !(name !== undefined && (names.has(name) || isLoopback(name)))) {
        throw new Problem(
          421,
          'unknown-host',
          'This server does not go by the name that was asked for. Its operator can add it with --host-name.',
        );
      }
      // Forms and scripts of other sites can post without being asked first; browsers then name their origin.
      if (headers.origin !== undefined && hostOf(headers.origin) !== headers.host?.toLowerCase()) {
        throw new Problem(403, 'forbidden-origin', 'Pages of other sites may not use this server.');
      }
    },
  };
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Whether only this machine reaches an address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** `example.org:8080` → `example.org`, `[::1]:8080` → `::1`. */
function hostName(host: string | undefined): string | undefined {
  const [, bracketed, plain] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(host ?? '') ?? [];
  return (bracketed ?? plain)?.toLowerCase() || undefined;
}

/** `https://example.org:8080` → `example.org:8080`. */
function hostOf(origin: string): string | undefined {
  return /^https?:\/\/([^/]+)$/i.exec(origin)?.[1]?.toLowerCase();
}
