/**
 * The live page over HTTP: the page, sample pictures, and a stream of changed sections (server-sent events). Answers
 * this machine's browser only and gives nothing else of the disk.
 */
import { createReadStream } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Section } from '../report/run-page.js';
import type { LivePage } from './live-page.js';

export interface ReportHttp {
  /** Not listening yet. */
  readonly http: Server;
  /** Whether a page is open. */
  readonly watched: boolean;
  /** Sends sections to all open pages. */
  send(sections: readonly Section[]): void;
  /** Tells open pages that this was all, and stops. */
  close(): Promise<void>;
}

/** Open pages; each one keeps a connection. */
const MAX_PAGES = 16;
/** A page that does not take what it is sent is left behind; its browser asks anew. */
const MAX_BACKLOG = 8 << 20;

const headers = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

export function createReportHttp({ run, page }: { run: string; page: LivePage }): ReportHttp {
  const pages = new Set<ServerResponse>();
  const send = (sections: readonly Section[], to: Iterable<ServerResponse> = pages) => {
    const text = sections.map((section) => event('section', section)).join('');
    for (const response of text ? to : []) {
      response.write(text);
      if (response.writableLength > MAX_BACKLOG) response.destroy();
    }
  };
  const follow = async (response: ServerResponse) => {
    if (pages.size >= MAX_PAGES) return refuse(response, 503);
    response.writeHead(200, { ...headers, 'Content-Type': 'text/event-stream' });
    response.flushHeaders();
    response.on('close', () => pages.delete(response));
    // What the page missed between its HTML and now.
    send(await page.update());
    pages.add(response);
    send(page.sections(), [response]);
  };
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    if (!isOwn(request, http)) return refuse(response, 403);
    if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(response, 405);
    const [path = ''] = (request.url ?? '').split('?');
    const sample = /^\/samples\/(\d{1,15}\.png)$/.exec(path)?.[1];
    if (sample) return sendPicture(join(run, 'samples', sample), request, response);
    if (path === '/events' && request.method === 'GET') return follow(response);
    if (path !== '/') return refuse(response, path === '/favicon.ico' ? 204 : 404);
    send(await page.update());
    response.writeHead(200, { ...headers, 'Content-Type': 'text/html; charset=utf-8' });
    response.end(request.method === 'HEAD' ? undefined : page.html());
  };
  const http = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  return {
    http,
    get watched() {
      return pages.size > 0;
    },
    send,
    async close() {
      for (const response of pages) response.end(event('end', {}));
      await new Promise((resolve) => {
        http.close(resolve);
        http.closeIdleConnections();
        // Whoever does not hang up within a moment is hung up on.
        setTimeout(() => http.closeAllConnections(), 500).unref();
      });
    },
  };
}

/** A name that another site resolves to this machine is not ours (DNS rebinding). */
function isOwn({ headers: { host } }: IncomingMessage, http: Server): boolean {
  const address = http.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return host === `127.0.0.1:${port}` || host === `localhost:${port}`;
}

async function sendPicture(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const file = createReadStream(path);
  try {
    await new Promise((resolve, reject) => file.once('open', resolve).once('error', reject));
  } catch {
    return refuse(response, 404);
  }
  // The address names the version, so that a picture is fetched once.
  const kept = {
    ...headers,
    'Cache-Control': 'private, max-age=86400, immutable',
    'Content-Type': 'image/png',
  };
  response.writeHead(200, kept);
  if (request.method === 'HEAD') {
    file.destroy();
    response.end();
  } else await pipeline(file, response);
}

function refuse(response: ServerResponse, status: 204 | 403 | 404 | 405 | 503): void {
  response.writeHead(status, { ...headers, ...(status === 405 ? { Allow: 'GET, HEAD' } : {}) }).end();
}

/** JSON has no line breaks, so that an event's data is one line. */
function event(name: string, data: object): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
