/** What the server refuses, and with which answer: bytes, pixels, queue, time, connections, headers, memory. */
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { animation } from '../image-files.ts';
import { noise, plain } from '../support.ts';
import { problemOf, sharedServer, slowImage, smallImage, startServer, talk } from './support.ts';

const FAST = { threads: 1, workers: 1, concurrency: 1 };

describe('bytes', () => {
  it.each(['image/png', 'application/octet-stream'])('%s above the limit is 413', async (type) => {
    const server = await startServer({ limits: { imageBytes: 2000 } });
    const answer = await server.post(Buffer.alloc(2001), { headers: { 'Content-Type': type } });
    expect(await problemOf(answer)).toEqual({ status: 413, code: 'image-too-large' });
  });

  it('also in a form, in JSON, and without a Content-Length', async () => {
    const server = await startServer({ limits: { imageBytes: 2000 } });
    const form = new FormData();
    form.set('image', new Blob([Buffer.alloc(2001)]), 'a.png');
    const json = JSON.stringify({ image: Buffer.alloc(2001).toString('base64') });
    const chunked = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(1001)),
    });
    const answers = [
      await server.post(form),
      await server.post(json, { headers: { 'Content-Type': 'application/json' } }),
      await fetch(`${server.url}/v1/translate`, {
        method: 'POST',
        headers: { 'Content-Type': 'image/png' },
        body: chunked,
        duplex: 'half',
      } as RequestInit),
    ];
    for (const answer of answers) {
      expect(await problemOf(answer)).toEqual({ status: 413, code: 'image-too-large' });
    }
    expect((await server.post(await plain(24, 16).png().toBuffer())).status).toBe(200);
  });

  it('a length of gigabytes is refused by its header', async () => {
    const server = await startServer();
    const socket = await server.socket();
    const head = `POST /v1/translate HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: image/png\r\n`;
    const answer = await talk(socket, `${head}Content-Length: 99999999999\r\n\r\n`, /too-large/);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('a compressed body is 415', async () => {
    const server = await startServer();
    const answer = await server.post(await smallImage(), { headers: { 'Content-Encoding': 'gzip' } });
    expect(answer.headers.get('accept-encoding')).toBe('identity');
    expect(await problemOf(answer)).toEqual({ status: 415, code: 'unsupported-type' });
  });
});

describe('pixels', () => {
  it('more are 413, all frames together, in a small file too', async () => {
    const server = await startServer({ limits: { pixels: 40_000 } });
    const bomb = await plain(9000, 9000).png({ compressionLevel: 9 }).toBuffer();
    const colours = Array.from({ length: 30 }, (_, i): [number, number, number] => [i, 200 - i, 9]);
    const frames = await animation('gif', { side: 40, colours, delay: colours.map(() => 50), loop: 0 });
    for (const body of [await plain(201, 200).png().toBuffer(), bomb, frames]) {
      expect(await problemOf(await server.post(body))).toEqual({ status: 413, code: 'image-too-large' });
    }
    expect((await server.post(await plain(200, 200).png().toBuffer())).status).toBe(200);
  });
});

describe('queue and time', () => {
  it('one that would wait too long is 503 with Retry-After, before its body is read', async () => {
    const server = await startServer({ ...FAST, limits: { queue: 1 } });
    const image = await slowImage();
    const first = server.post(image);
    await server.until('cyclegan_images_running', 1);
    const second = server.post(image);
    await server.until('cyclegan_queue_length', 1);
    const third = await server.post(image);
    expect(Number(third.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(await problemOf(third)).toEqual({ status: 503, code: 'busy' });
    expect([(await first).status, (await second).status]).toEqual([200, 200]);
    expect((await server.post(await smallImage())).status).toBe(200);
  });

  it('one that takes too long is 503, and what runs is given up', async () => {
    const server = await startServer({ ...FAST, limits: { seconds: 1 } });
    const image = await noise(3200, 3200).jpeg().toBuffer();
    const answer = await server.post(image);
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(await problemOf(answer)).toEqual({ status: 503, code: 'too-slow' });
    await server.until('cyclegan_images_running', 0);
    expect((await server.post(await smallImage())).status).toBe(200);
  });

  it('bytes in flight are bounded over all requests, and given back', async () => {
    const server = await startServer({ limits: { imageBytes: 100_000, pendingBytes: 100_000 } });
    const head = `POST /v1/translate HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: image/png\r\nContent-Length: 90000\r\n\r\n`;
    const slow = await server.socket();
    slow.write(head);
    slow.write(Buffer.alloc(80_000));
    await server.until('cyclegan_pending_bytes', 80_000);
    const answer = await server.post(Buffer.alloc(30_000));
    expect(await problemOf(answer)).toEqual({ status: 503, code: 'busy' });
    slow.destroy();
    await server.until('cyclegan_pending_bytes', 0);
    expect((await server.post(await smallImage())).status).toBe(200);
  });

  it('an answer that is not read counts until its client goes', async () => {
    const server = await startServer({ limits: { pendingBytes: 33_000_000 } });
    const image = await noise(1200, 1200).png({ compressionLevel: 0 }).toBuffer();
    const socket = await server.socket();
    const head = `POST /v1/translate HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: image/png\r\n`;
    socket.pause();
    socket.write(`${head}Accept: image/tiff\r\nContent-Length: ${image.length}\r\n\r\n`);
    socket.write(image);
    await server.until('cyclegan_images_running', 1);
    await server.until('cyclegan_images_running', 0);
    expect(await server.figure('cyclegan_pending_bytes')).toBeGreaterThan(image.length);
    socket.destroy();
    await server.until('cyclegan_pending_bytes', 0);
  });
});

describe('connections', () => {
  const shared = sharedServer();

  it('a body that does not come is 408', async () => {
    const server = await startServer({ limits: { uploadSeconds: 1 } });
    const head = 'POST /v1/translate HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: image/png\r\n';
    const answer = await talk(await server.socket(), `${head}Content-Length: 500\r\n\r\nabc`);
    expect(answer).toMatch(/^HTTP\/1\.1 408 [\s\S]*"code":"timeout"/);
    await server.until('cyclegan_pending_bytes', 0);
  });

  it('headers that do not come end the connection, as does saying nothing', async () => {
    const server = await startServer({ limits: { uploadSeconds: 1 } });
    const answers = await Promise.all([
      talk(await server.socket(), 'GET /health HTTP/1.1\r\nHost: 127'),
      talk(await server.socket(), ''),
    ]);
    expect(answers[0]).toMatch(/^HTTP\/1\.1 408 /);
    expect(answers[1]).toMatch(/^(HTTP\/1\.1 408 |$)/);
  });

  it('more than are allowed are closed, and the others served', async () => {
    const server = await startServer({ limits: { connections: 3 } });
    const sockets = [await server.socket(), await server.socket(), await server.socket()];
    const request = 'GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
    // fetch's own connection, kept alive since the start, may be one of the three.
    const answers = await Promise.all(
      sockets.map((socket) => Promise.race([talk(socket, request, /ok/), delay(2000, 'late')])),
    );
    const more = await server.socket();
    expect(await talk(more, request)).toBe('');
    expect(answers.filter((answer) => /^HTTP\/1\.1 200 /.test(answer)).length).toBeGreaterThanOrEqual(2);
  });

  it.each([
    ['headers beyond 16 KiB', `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['what is not HTTP', '\x16\x03\x01\x02\x00\x01\x00', 400],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 400],
    [
      'a length and chunks',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      400,
    ],
    ['an address that is none', 'GET /%zz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n', 400],
    ['HTTP/1.1 without a host', 'GET / HTTP/1.1\r\n\r\n', 400],
  ])('%s', async (_, text, status) => {
    const server = shared();
    expect(await talk(await server.socket(), text)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect((await server.get('/health')).status).toBe(200);
  });
});

it('limits that are none are refused', async () => {
  for (const limits of [
    { queue: 0 },
    { seconds: 1.5 },
    { pixels: 2e8 },
    { imageBytes: -1 },
    { uploadSeconds: 1e9 },
  ]) {
    await expect(startServer({ limits })).rejects.toThrow(
      /^\[server\] limits\.\w+: expected a whole number from 1 to /,
    );
  }
});
