/** Clients that go, and the server's own end: what nobody waits for is dropped, what was accepted is finished. */
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createServer } from '@cyclegan/runtime-node/server';
import { describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder, tinyBundle } from '../support.ts';
import { problemOf, slowImage, smallImage, startServer, talk } from './support.ts';

const ONE = { threads: 1, workers: 1, concurrency: 1 };
const DONE = 'cyclegan_images_total{direction="AtoB",precision="fp32"}';

describe('clients that go', () => {
  it('leave the queue, and their images are never begun', async () => {
    const server = await startServer(ONE);
    const image = await slowImage();
    const first = server.post(image);
    await server.until('cyclegan_images_running', 1);
    const going = new AbortController();
    const gone = Array.from({ length: 5 }, () =>
      server.post(image, { signal: going.signal }).catch(() => 'gone'),
    );
    await server.until('cyclegan_queue_length', 5);
    going.abort();
    await server.until('cyclegan_queue_length', 0);
    expect(await server.figure('cyclegan_images_running')).toBe(1);
    expect((await first).status).toBe(200);
    expect(await Promise.all(gone)).toEqual(Array(5).fill('gone'));
    await server.until('cyclegan_images_running', 0);
    expect(await server.figure(DONE)).toBe(1);
    expect(await server.figure('cyclegan_requests_total{route="/v1/translate",status="499"}')).toBe(5);
    expect(await server.figure('cyclegan_pending_bytes')).toBe(0);
  });

  it('give up what runs for them', async () => {
    const server = await startServer(ONE);
    const going = new AbortController();
    const gone = server.post(await slowImage(), { signal: going.signal }).catch(() => 'gone');
    await server.until('cyclegan_images_running', 1);
    going.abort();
    expect(await gone).toBe('gone');
    await server.until('cyclegan_images_running', 0);
    expect(await server.figure(DONE)).toBe(0);
    expect((await server.post(await smallImage())).status).toBe(200);
  });

  it('who shared a key with one that went gets an answer', async () => {
    const server = await startServer(ONE);
    const image = await slowImage();
    const headers = { 'Idempotency-Key': 'k' };
    const going = new AbortController();
    const gone = server.post(image, { headers, signal: going.signal }).catch(() => 'gone');
    await server.until('cyclegan_images_running', 1);
    const stays = server.post(image, { headers });
    await server.until('cyclegan_pending_bytes', 2 * image.length);
    going.abort();
    expect(await gone).toBe('gone');
    expect((await stays).status).toBe(200);
  });
});

describe('closing', () => {
  it('finishes what was accepted, takes nothing more, and frees all', async () => {
    const server = await startServer(ONE);
    const image = await slowImage();
    const accepted = [server.post(image), server.post(image)];
    await server.until('cyclegan_queue_length', 1);
    const idle = talk(await server.socket(), '');
    const kept = await server.socket();
    await talk(kept, 'GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', /ok/);
    const closing = server.close();
    const ready = await talk(kept, 'GET /ready HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
    expect(ready).toMatch(/^HTTP\/1\.1 503 [\s\S]*connection: close[\s\S]*"code":"closing"/i);
    expect(await problemOf(await server.post(await smallImage()))).toEqual({ status: 503, code: 'closing' });
    for (const answer of await Promise.all(accepted)) {
      expect(answer.status).toBe(200);
      expect(answer.headers.get('connection')).toBe('close');
      expect((await answer.arrayBuffer()).byteLength).toBeGreaterThan(1000);
    }
    await closing;
    await expect(server.get('/health')).rejects.toThrow();
    expect(await idle).toBe('');
    await server.close();
  });

  it('is bounded: what takes longer is told so', async () => {
    const server = await startServer({ ...ONE, shutdownSeconds: 0 });
    const image = await slowImage();
    const answers = [server.post(image), server.post(image)];
    await server.until('cyclegan_queue_length', 1);
    const slow = await server.socket();
    slow.write(
      'POST /v1/translate HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: image/png\r\nContent-Length: 9\r\n\r\n',
    );
    await server.until('cyclegan_requests_in_flight', 4);
    await server.close();
    for (const answer of await Promise.all(answers)) {
      expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
      expect(await problemOf(answer)).toEqual({ status: 503, code: 'closing' });
    }
  });

  it('ends the loading of the model too', async () => {
    const server = await createServer({ bundle: tinyBundle, port: 0, device: 'cpu', threads: 1 });
    await server.listen();
    const ready = server.ready().catch((error: Error) => error.message);
    await server.close();
    expect(await ready).toMatch(/stopped on request/);
  });
});

describe('what cannot be', () => {
  it('a bundle that is none is refused before listening', async () => {
    const making = createServer({ bundle: temporaryFolder() });
    await expect(making).rejects.toMatchObject({ code: 'bundle' });
  });

  it('a model that is damaged is told by ready, and to clients without its place', async () => {
    const folder = join(temporaryFolder(), 'bundle');
    cpSync(tinyBundle, folder, { recursive: true });
    writeFileSync(join(folder, 'AtoB.fp32.onnx'), 'x');
    const server = await createServer({ bundle: folder, port: 0, device: 'cpu', threads: 1 });
    onTestFinished(() => server.close());
    const url = await server.listen();
    await expect(server.ready()).rejects.toMatchObject({ code: 'bundle' });
    expect(await problemOf(await fetch(`${url}/ready`))).toEqual({ status: 503, code: 'loading' });
  });

  it('a model that is damaged later is 503 for those who ask for it alone', async () => {
    const folder = join(temporaryFolder(), 'bundle');
    cpSync(tinyBundle, folder, { recursive: true });
    const server = await startServer({ bundle: folder });
    writeFileSync(join(folder, 'BtoA.fp32.onnx'), 'x');
    const answer = await server.post(await smallImage(), { query: '?direction=BtoA' });
    expect(await problemOf(answer)).toEqual({ status: 503, code: 'unavailable' });
    expect((await server.post(await smallImage())).status).toBe(200);
    cpSync(join(tinyBundle, 'BtoA.fp32.onnx'), join(folder, 'BtoA.fp32.onnx'));
    expect((await server.post(await smallImage(), { query: '?direction=BtoA' })).status).toBe(200);
  });

  it('a port that is taken is one sentence', async () => {
    const { url } = await startServer();
    const other = await createServer({ bundle: tinyBundle, port: Number(new URL(url).port) });
    onTestFinished(() => other.close());
    await expect(other.listen()).rejects.toThrow(
      /^\[server\] listen: expected an address that is free, got 127\.0\.0\.1 port \d+, one that another program listens on\. /,
    );
  });
});
