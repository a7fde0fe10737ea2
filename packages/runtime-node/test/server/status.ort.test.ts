/** The page, the probes, the figures and the OpenAPI document, which is held against the schema and the server. */

import { createServer } from '@cyclegan/runtime-node/server';
import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, it, onTestFinished } from 'vitest';
import { tinyBundle } from '../support.ts';
import { over, problemOf, smallImage, startServer } from './support.ts';

it.each([undefined, 'a-token-of-enough-characters'])(
  'the document is OpenAPI, with token %s',
  async (token) => {
    const server = await startServer({ token });
    const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
    const document = await (await server.get('/openapi.json', headers)).json();
    const result = await new Validator().validate(document);
    expect(result).toEqual({ valid: true });
    expect(document.security).toEqual(token ? [{ bearer: [] }] : undefined);
    // Whatever it names is there, by the method that it says.
    for (const [path, methods] of Object.entries<Record<string, unknown>>(document.paths)) {
      for (const method of Object.keys(methods)) {
        const { status } = await fetch(server.url + path, { method: method.toUpperCase(), headers });
        expect([path, status]).toEqual([path, path === '/v1/translate' ? 400 : 200]);
      }
    }
    const [{ schema }] = document.paths['/v1/translate'].post.parameters;
    expect(schema.enum.toSorted()).toEqual(['AtoB', 'BtoA']);
  },
);

it('info says what the server has, and nothing of where it is', async () => {
  const server = await startServer();
  const info = await (await server.get('/v1/info')).json();
  expect(info).toMatchObject({
    state: 'ready',
    direction: 'AtoB',
    directions: ['AtoB', 'BtoA'],
    precisions: ['fp32'],
    formats: ['png', 'jpg', 'webp', 'avif', 'tiff', 'gif'],
    running: { direction: 'AtoB', precision: 'fp32', device: 'cpu', threads: 1 },
    limits: { imageBytes: 32 * 2 ** 20 },
  });
  expect(JSON.stringify(info)).not.toMatch(/[/\\]/);
});

it('the page has the policy that it runs by', async () => {
  const server = await startServer();
  const page = await server.get('/');
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(page.headers.get('content-security-policy')).toMatch(/script-src 'sha256-/);
  expect(await page.text()).toMatch(/^<!doctype html>/i);
});

it.each([
  ['GET', '/v1/translate', 405],
  ['POST', '/', 405],
  ['DELETE', '/health', 405],
  ['GET', '/v1/', 404],
  ['GET', '/../../etc/passwd', 404],
  ['POST', '/v1/translate/x', 404],
])('%s %s is %i', async (method, path, status) => {
  const server = await startServer();
  const answer = await fetch(server.url + path, { method });
  if (status === 405) expect(answer.headers.get('allow')).toMatch(/^(GET, HEAD|POST)$/);
  expect((await problemOf(answer)).status).toBe(status);
});

it("the figures are Prometheus' text, and count", async () => {
  const server = await startServer();
  const image = await smallImage();
  await (await server.post(image, { query: '?direction=BtoA' })).arrayBuffer();
  await (await server.post(Buffer.from('x'))).text();
  await (await server.get(`/${'x'.repeat(50)}`)).text();
  const answer = await server.get('/metrics');
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  const text = await answer.text();
  const sample =
    /^[a-zA-Z_:][\w:]*(\{[a-zA-Z_]\w*="[^"\\\n]*"(,[a-zA-Z_]\w*="[^"\\\n]*")*,?\})? (NaN|[+-]?Inf|-?[\d.]+(e[+-]?\d+)?)$/;
  for (const line of text.trimEnd().split('\n')) {
    if (line !== '') expect(line).toMatch(line.startsWith('#') ? /^# (HELP|TYPE) \w+ ./ : sample);
  }
  const value = (name: string) =>
    Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${name} `))
        ?.split(' ')[1],
    );
  expect(value('cyclegan_images_total{direction="BtoA",precision="fp32"}')).toBe(1);
  expect(value('cyclegan_requests_total{route="/v1/translate",status="200"}')).toBe(1);
  expect(value('cyclegan_requests_total{route="/v1/translate",status="422"}')).toBe(1);
  expect(value('cyclegan_requests_total{route="none",status="404"}')).toBe(1);
  expect(value('cyclegan_image_bytes_total{way="in"}')).toBe(image.length);
  for (const stage of ['decode', 'wait', 'run', 'encode']) {
    expect(value(`cyclegan_stage_seconds_count{stage="${stage}"}`)).toBe(1);
  }
  expect(value('cyclegan_queue_length')).toBe(0);
  expect(value('process_resident_memory_bytes')).toBeGreaterThan(1e6);
});

it('while the model is loaded, the server lives and is not ready', async () => {
  const made = await createServer({ bundle: tinyBundle, port: 0, device: 'cpu', threads: 1 });
  onTestFinished(() => made.close());
  expect(made.url).toBeNull();
  await made.listen();
  const server = over(made);
  const asked = [server.get('/ready'), server.post(await smallImage()), server.get('/health')];
  const [ready, translated, health] = await Promise.all(asked);
  // Both were asked before the model could be there.
  if (!ready || !translated) throw new Error('no answers');
  expect(ready.headers.get('retry-after')).toMatch(/^\d+$/);
  expect(await problemOf(ready)).toEqual({ status: 503, code: 'loading' });
  expect(await problemOf(translated)).toEqual({ status: 503, code: 'loading' });
  expect(health?.status).toBe(200);
  await made.ready();
  expect((await server.get('/ready')).status).toBe(200);
});
