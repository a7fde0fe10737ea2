// The live page over HTTP: what it gives, to whom, and that it answers while the thread that trains does not.
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { type ClientRequest, get, type IncomingMessage, request } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { type ReportServer, type ServeReportOptions, serveReport } from '../dist/live/index.js';
import { config, grey, line, runFolder, samplePath } from './support/run-folder.ts';
import { temporaryFolder } from './temp-folder.js';

const root = temporaryFolder();
const servers: ReportServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function serve(options: ServeReportOptions): Promise<ReportServer> {
  const server = await serveReport(options);
  servers.push(server);
  return server;
}

interface Answer {
  status: number | undefined;
  headers: IncomingMessage['headers'];
  body: string;
}

/** Unlike `fetch`, this sends the path and the Host header as they are given. */
function ask(
  url: string,
  path: string,
  options: { method?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const asked = request({ hostname, port, path, agent: false, ...options }, (response) => {
      let body = '';
      response.setEncoding('latin1');
      response.on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }));
    });
    asked.on('error', reject).end();
  });
}

/** Events as they come: `next` waits for the first one after the last that fits. */
function listen(url: string) {
  const events: { name: string; data: { id?: string; html?: string } }[] = [];
  const waiting: (() => void)[] = [];
  let text = '';
  let ended = false;
  const wake = () => {
    for (const go of waiting.splice(0)) go();
  };
  const asked: ClientRequest = get(`${url}events`, { agent: false }, (response) => {
    response.setEncoding('utf8');
    response.on('data', (piece: string) => {
      const blocks = (text + piece).split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const [, name = '', data = ''] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? [];
        events.push({ name, data: JSON.parse(data) });
      }
      wake();
    });
    response.on('end', () => {
      ended = true;
      wake();
    });
  });
  asked.on('error', wake);
  return {
    async next(fits: (event: (typeof events)[number]) => boolean) {
      for (;;) {
        const at = events.findIndex(fits);
        const [found] = at < 0 ? [] : events.splice(0, at + 1).slice(-1);
        if (found) return found;
        if (ended) throw new Error('no more events');
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
    stop: () => asked.destroy(),
  };
}

describe('serveReport', () => {
  it('gives the page and the sample pictures of its run, and nothing else', async () => {
    const run = await runFolder(root, 'closed', { lines: [line(1), line(2)], samples: [2] });
    writeFileSync(join(root, 'secret.png'), 'secret');
    writeFileSync(join(run, 'samples', 'notes.txt'), 'secret');
    const { url } = await serve({ run });
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    const page = await ask(url, '/');
    expect(page).toMatchObject({ status: 200, headers: { 'content-type': 'text/html; charset=utf-8' } });
    expect(page.body).toContain('<h1>closed</h1>');
    expect(page.body).not.toContain(root);
    const [, picture = ''] = /url\('(samples\/000002\.png\?\d+)'\)/.exec(page.body) ?? [];
    const shown = await ask(url, `/${picture}`);
    expect(shown).toMatchObject({ status: 200, headers: { 'content-type': 'image/png' } });
    expect(shown.body).toMatch(/^\x89PNG/);
    for (const path of [
      '/config.json',
      '/metrics.jsonl',
      '/samples/',
      '/samples/notes.txt',
      '/samples/000099.png',
      '/samples/../config.json',
      '/samples/..%2f..%2fsecret.png',
      '/../secret.png',
      '//secret.png',
    ]) {
      const { status, body } = await ask(url, path);
      expect([path, status, body]).toEqual([path, 404, '']);
    }
  });

  it('answers its own name only, reading only, and lets no other site in', async () => {
    const run = await runFolder(root, 'own', { lines: [line(1)] });
    const { url } = await serve({ run });
    const port = new URL(url).port;
    const status = async (headers: Record<string, string>, method = 'GET') =>
      (await ask(url, '/', { headers, method })).status;
    expect(await status({ host: `127.0.0.1:${port}` })).toBe(200);
    expect(await status({ host: `localhost:${port}` })).toBe(200);
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      '127.0.0.1',
      `127.0.0.1.evil.example:${port}`,
    ]) {
      expect([host, await status({ host })]).toEqual([host, 403]);
    }
    const own = { host: `127.0.0.1:${port}` };
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) expect(await status(own, method)).toBe(405);
    const head = await ask(url, '/', { method: 'HEAD' });
    expect([head.status, head.body]).toEqual([200, '']);
    expect(head.headers).toMatchObject({
      'cross-origin-resource-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "frame-ancestors 'none'",
    });
    expect(head.headers['access-control-allow-origin']).toBeUndefined();
  });

  it('sends all of a page at first, then what changes, and at last that it was all', async () => {
    const run = join(root, 'not-there-yet');
    const server = await serve({ run });
    const news = listen(server.url);
    const first = await news.next(({ data }) => data.id === 'settings');
    expect(first.name).toBe('section');
    await runFolder(root, 'not-there-yet', {
      config: { ...config, steps: 8 },
      lines: [line(1)],
      samples: [0],
    });
    const begun = await news.next(({ data }) => data.id === 'head' && (data.html ?? '').includes('of 8'));
    expect(begun.data.html).toContain('not-there-yet');
    await news.next(({ data }) => data.id === 'samples' && (data.html ?? '').includes('000000.png'));

    await grey(samplePath(run, 4), 99);
    const later = await news.next(({ data }) => data.id === 'samples');
    expect(later.data.html).toContain('000004.png');
    appendFileSync(join(run, 'metrics.jsonl'), `${JSON.stringify(line(7))}\n`);
    // Not waited for: the last state comes before the end.
    const closing = server.close();
    const last = await news.next(({ data }) => data.id === 'curves');
    expect(last.name).toBe('section');
    expect((await news.next(() => true)).name).toBe('end');
    await closing;
    await expect(ask(server.url, '/')).rejects.toThrow(/ECONNREFUSED/);
    await server.close();
  });

  it('answers while the thread that started it is held by a step', async () => {
    const run = await runFolder(root, 'held', { lines: [line(1)] });
    const { url } = await serve({ run });
    // Asks from a third thread, and sets the second number to the status.
    const asking = `
      const { workerData } = require('node:worker_threads');
      require('node:http').get(workerData.url, (response) => {
        Atomics.store(workerData.cell, 0, response.statusCode);
        Atomics.notify(workerData.cell, 0);
      });`;
    const cell = new Int32Array(new SharedArrayBuffer(4));
    new Worker(asking, { eval: true, workerData: { url, cell } }).unref();
    expect(Atomics.wait(cell, 0, 0, 20_000)).not.toBe('timed-out');
    expect(Atomics.load(cell, 0)).toBe(200);
  });

  it('stops at the signal', async () => {
    mkdirSync(join(root, 'stopped'));
    const stop = new AbortController();
    const server = await serve({ run: join(root, 'stopped'), signal: stop.signal });
    const news = listen(server.url);
    await news.next(({ data }) => data.id === 'settings');
    stop.abort();
    expect((await news.next(({ name }) => name === 'end')).name).toBe('end');
    await server.close();
    await expect(ask(server.url, '/')).rejects.toThrow(/ECONNREFUSED/);
  });

  it('takes the port that it is told, and says so when it is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as AddressInfo;
    await expect(serve({ run: root, port })).rejects.toMatchObject({
      code: 'output',
      message: expect.stringMatching(new RegExp(`port ${port}, got .*EADDRINUSE`)),
    });
    await new Promise((resolve) => taken.close(resolve));
    expect((await serve({ run: root, port })).url).toBe(`http://127.0.0.1:${port}/`);
  });

  it('leaves out pages beyond what it can serve', async () => {
    const run = await runFolder(root, 'many', { lines: [line(1)] });
    const { url } = await serve({ run });
    const open = Array.from({ length: 16 }, () => listen(url));
    await Promise.all(open.map((news) => news.next(({ data }) => data.id === 'settings')));
    expect((await ask(url, '/events')).status).toBe(503);
    for (const news of open) news.stop();
  });
});
