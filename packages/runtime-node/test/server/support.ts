/** A listening server over the tiny bundle, and the little that its tests say to it. */
import { connect, type Socket } from 'node:net';
import { createServer, type Server, type ServerOptions } from '@cyclegan/runtime-node/server';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { noise, tinyBundle } from '../support.ts';

export interface TestServer extends Server {
  readonly url: string;
  /** The default route with raw bytes; more in `init`. */
  post(body: Uint8Array | FormData | string, init?: PostInit): Promise<Response>;
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  /** The value of a figure without labels, or with just these. */
  figure(name: string): Promise<number>;
  /** Waits until a figure has a value. */
  until(name: string, value: number): Promise<void>;
  /** A connection of one's own, which is closed at the test's end. */
  socket(): Promise<Socket>;
}

export interface PostInit {
  query?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** Listens on a free port, is ready, and closed when the test ends. */
export async function startServer(options: Partial<ServerOptions> = {}): Promise<TestServer> {
  const server = await make(options);
  onTestFinished(() => server.close());
  return started(server);
}

/** One for all tests of a `describe`, which may not care what the others did to it. */
export function sharedServer(options: Partial<ServerOptions> = {}): () => TestServer {
  let server: TestServer | undefined;
  beforeAll(async () => {
    server = await started(await make(options));
  });
  afterAll(() => server?.close());
  return () => {
    if (!server) throw new Error('internal: not started');
    return server;
  };
}

function make(options: Partial<ServerOptions>): Promise<Server> {
  return createServer({ bundle: tinyBundle, port: 0, device: 'cpu', threads: 1, ...options });
}

async function started(server: Server): Promise<TestServer> {
  await server.listen();
  await server.ready();
  return over(server);
}

/** The same for one that was made by hand. */
export function over(server: Server): TestServer {
  const { url } = server;
  if (url === null) throw new Error('not listening');
  const get: TestServer['get'] = (path, headers = {}) => fetch(`${url}${path}`, { headers });
  const figure: TestServer['figure'] = async (name) => {
    const text = await (await get('/metrics')).text();
    const line = text.split('\n').find((each) => each.startsWith(`${name} `));
    return Number(line?.slice(name.length + 1) ?? 0);
  };
  return {
    ...server,
    url,
    get,
    figure,
    post: (body, { query = '', headers = {}, signal } = {}) =>
      fetch(`${url}/v1/translate${query}`, {
        method: 'POST',
        body: body as BodyInit,
        headers: body instanceof FormData ? headers : { 'Content-Type': 'image/png', ...headers },
        ...(signal && { signal }),
      }),
    async until(name, value) {
      while ((await figure(name)) !== value) await new Promise((resolve) => setTimeout(resolve, 5));
    },
    socket() {
      const { hostname, port } = new URL(url);
      return new Promise((resolve, reject) => {
        const socket = connect(Number(port), hostname, () => resolve(socket));
        socket.once('error', reject);
        onTestFinished(() => void socket.destroy());
      });
    },
  };
}

export const smallImage = () => noise(24, 16).png().toBuffer();

/** One that keeps a thread busy for long enough to meet it there. */
export const slowImage = () => noise(1400, 1400).jpeg().toBuffer();

/** The status and code of a problem, which is checked to be one: in form, and without a word from inside. */
export async function problemOf(response: Response): Promise<{ status: number; code: string }> {
  const text = await response.text();
  if (!response.headers.get('content-type')?.startsWith('application/problem+json')) {
    throw new Error(`not a problem: ${response.status} ${text}`);
  }
  const { title, status, code, detail } = JSON.parse(text);
  const inside = /node_modules|\.js\b|\.ts\b|file:|\/tmp|tiny-bundle|\\n {4}at |\b(?:vips|sharp|FST_|zod)/i;
  if (inside.test(text)) throw new Error(`tells of its inside: ${text}`);
  if (!title || status !== response.status || !/^Expected |\.$/.test(detail)) throw new Error(text);
  return { status, code };
}

/** Writes to a connection and gives all that came back when the server closed it, or when `enough` came. */
export function talk(socket: Socket, text: string, enough = /$^/): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
      if (enough.test(answer)) resolve(answer);
    });
    socket.once('error', () => resolve(answer));
    socket.once('close', () => resolve(answer));
    socket.write(text);
  });
}
