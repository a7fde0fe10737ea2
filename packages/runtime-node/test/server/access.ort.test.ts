/** Who is answered: the token, the server's own names, pages of other sites; and what every answer says to browsers. */
import { request as httpRequest } from 'node:http';
import { createServer, type ServerOptions } from '@cyclegan/runtime-node/server';
import { describe, expect, it } from 'vitest';
import { tinyBundle } from '../support.ts';
import { problemOf, sharedServer, smallImage, startServer, type TestServer } from './support.ts';

const TOKEN = 'a-token-of-enough-characters';
const OPEN = ['/', '/health', '/ready'];
const GUARDED = ['/v1/info', '/metrics', '/openapi.json'];

/** A GET with headers that `fetch` does not let one choose. */
function get({ url }: TestServer, path: string, headers: Record<string, string>) {
  return new Promise<{ status: number; body: string }>((resolve, reject) => {
    httpRequest(`${url}${path}`, { headers, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    })
      .on('error', reject)
      .end();
  });
}

describe('the token', () => {
  const shared = sharedServer({ token: TOKEN });

  it('is asked for by all but the page and the probes', async () => {
    const server = shared();
    for (const path of OPEN) expect((await server.get(path)).status).toBe(200);
    for (const path of [...GUARDED, '/nothing']) {
      const answer = await server.get(path);
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
      expect(await problemOf(answer)).toEqual({ status: 401, code: 'unauthorized' });
    }
    const authorization = `Bearer ${TOKEN}`;
    for (const path of GUARDED) expect((await server.get(path, { authorization })).status).toBe(200);
    expect((await server.post(await smallImage(), { headers: { authorization } })).status).toBe(200);
  });

  it.each(['', 'Bearer', 'Bearer ', `Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(1)}`, `Basic ${TOKEN}`, TOKEN])(
    '%j is none',
    async (authorization) => {
      const server = shared();
      const answer = await server.post(await smallImage(), { headers: { authorization } });
      expect(await problemOf(answer)).toEqual({ status: 401, code: 'unauthorized' });
    },
  );

  const refused: [string, Partial<ServerOptions>][] = [
    ['all addresses without a token', { host: '0.0.0.0' }],
    ['all addresses of IPv6 without a token', { host: '::' }],
    ['an address of a network without a token', { host: '192.168.1.4' }],
    ['a name without a token', { host: 'example.org' }],
    ['a short token', { token: 'short' }],
    ['a token with spaces', { token: 'a token with spaces in it' }],
    ['a port that is none', { port: 70_000 }],
  ];
  it.each(refused)('%s is refused in a sentence', async (_, options) => {
    const making = createServer({ bundle: tinyBundle, ...options });
    await expect(making).rejects.toMatchObject({ code: 'usage' });
    await expect(making).rejects.toThrow(/^\[server\] (host|token|port): expected [^\n]+\.$/);
  });

  it('beyond this machine, the server goes by any name', async () => {
    const server = await startServer({ host: '0.0.0.0', token: TOKEN });
    const headers = { host: 'any.example', authorization: `Bearer ${TOKEN}` };
    expect(await get(server, '/v1/info', headers)).toMatchObject({ status: 200 });
  });
});

describe('names', () => {
  const shared = sharedServer({ hostNames: ['gate.example'] });

  it.each([
    'evil.example',
    'evil.example:80',
    '127.0.0.1.evil.example',
    'localhost.evil',
    '[::2]',
    '10.0.0.1',
    'a b',
  ])('on loopback, Host: %j is refused', async (host) => {
    const server = shared();
    const { status, body } = await get(server, '/v1/info', { host });
    expect([status, JSON.parse(body).code]).toEqual([421, 'unknown-host']);
    expect(await get(server, '/health', { host })).toMatchObject({ status: 200 });
  });

  it.each(['localhost', 'LOCALHOST:80', '127.0.0.1:9', '127.1.2.3', '[::1]:80', 'gate.example'])(
    'on loopback, Host: %j is taken',
    async (host) => {
      const server = shared();
      expect(await get(server, '/v1/info', { host })).toMatchObject({ status: 200 });
    },
  );

  it.each(['https://evil.example', 'null', 'http://127.0.0.1:1', 'file://'])(
    'pages of %s are refused',
    async (origin) => {
      const server = shared();
      const answer = await server.post(await smallImage(), { headers: { origin } });
      expect(await problemOf(answer)).toEqual({ status: 403, code: 'forbidden-origin' });
    },
  );

  it("the server's own page is not", async () => {
    const server = shared();
    expect((await server.post(await smallImage(), { headers: { origin: server.url } })).status).toBe(200);
  });
});

it('every answer tells browsers to be careful with it, and has an id', async () => {
  const server = await startServer();
  const answers = [
    ...(await Promise.all([...OPEN, ...GUARDED, '/nothing', '/%zz'].map((path) => server.get(path)))),
    await server.post(await smallImage()),
    await server.post('x'),
  ];
  for (const { headers, url } of answers) {
    expect(headers.get('content-security-policy'), url).toMatch(/^default-src 'none'/);
    expect(headers.get('content-security-policy'), url).toMatch(/frame-ancestors 'none'/);
    expect(headers.get('x-content-type-options'), url).toBe('nosniff');
    expect(headers.get('cache-control'), url).toBe('no-store');
    expect(headers.get('access-control-allow-origin'), url).toBeNull();
    expect(headers.get('server'), url).toBeNull();
    expect(headers.get('x-request-id'), url).toMatch(/^[\w.-]{1,64}$/);
  }
  const named = await server.get('/nothing', { 'X-Request-Id': 'call-7' });
  expect([named.headers.get('x-request-id'), (await named.json()).requestId]).toEqual(['call-7', 'call-7']);
  const forged = await server.get('/health', { 'X-Request-Id': 'a b"c' });
  expect(forged.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
});

it('the log has a line for each request with the times of its stages, and no token', async () => {
  const lines: Record<string, unknown>[] = [];
  const stream = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const server = await startServer({ token: TOKEN, logger: { level: 'debug', stream } });
  const headers = { authorization: `Bearer ${TOKEN}` };
  await (await server.post(await smallImage(), { headers })).arrayBuffer();
  await (await server.post(Buffer.from('x'), { headers })).text();
  await (await server.get('/metrics')).text();
  const requests = lines.filter(({ msg }) => msg === 'request');
  expect(requests.map(({ route, status }) => [route, status])).toEqual([
    ['/v1/translate', 200],
    ['/v1/translate', 422],
    ['/metrics', 401],
  ]);
  expect(requests[0]).toMatchObject({
    totalMs: expect.any(Number),
    direction: 'AtoB',
    precision: 'fp32',
    ms: {
      decode: expect.any(Number),
      wait: expect.any(Number),
      run: expect.any(Number),
      encode: expect.any(Number),
    },
  });
  expect(lines).toContainEqual(expect.objectContaining({ msg: 'unreadable-image', level: 20 }));
  expect(JSON.stringify(lines)).not.toContain(TOKEN);
});
