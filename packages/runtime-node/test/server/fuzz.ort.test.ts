/**
 * What strangers send: thousands of seeded requests over bare sockets, none of which may end, hang or fill the server,
 * or get another answer than an honest one. A failure names its seed.
 */
import { connect, type Socket } from 'node:net';
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { animation } from '../image-files.ts';
import { plain } from '../support.ts';
import { createRandom, KINDS, randomBytes } from './strange-requests.ts';
import { startServer, type TestServer } from './support.ts';

const CASES = 2600;
/** Connections at a time: most cases wait, for a limit of time to fire. */
const LANES = 120;
const IDLE = 1000;
const MAX_GROWTH = 300e6;
const PATIENCE_MS = 15_000;
const HONEST = [200, 400, 403, 404, 405, 406, 408, 413, 415, 417, 421, 422, 431, 503];
const INSIDE = /node_modules|\.js:|\.ts:|file:\/\/|\/tmp|tiny-bundle|\\n {4}at |FST_|vips/;

/** All that comes back until the server closes. Some clients go at once instead. */
function exchange({ url }: TestServer, bytes: Buffer, goAfterMs: number | undefined): Promise<Buffer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(Number(port), hostname);
    const late = setTimeout(() => {
      socket.destroy();
      reject(
        new Error(`no end after ${PATIENCE_MS} ms, but ${Buffer.concat(chunks).toString('latin1', 0, 300)}`),
      );
    }, PATIENCE_MS);
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', () => {});
    socket.once('close', () => {
      clearTimeout(late);
      resolve(Buffer.concat(chunks));
    });
    socket.write(bytes);
    if (goAfterMs !== undefined) setTimeout(() => socket.destroy(), goAfterMs);
  });
}

/** The statuses of the answers that came back. @throws for one that is not honest */
function statusesOf(answers: Buffer): number[] {
  const statuses: number[] = [];
  for (let rest = answers; rest.length > 0; ) {
    const end = rest.indexOf('\r\n\r\n');
    const head = rest.toString('latin1', 0, end < 0 ? rest.length : end);
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]);
    if (status === 100) {
      rest = rest.subarray(end + 4);
      continue;
    }
    if (!HONEST.includes(status)) throw new Error(`answered ${head.slice(0, 300)}`);
    if (status === 503 && !/^retry-after: \d+$/im.test(head))
      throw new Error(`503 without Retry-After: ${head}`);
    const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? rest.length);
    const body = rest.toString('latin1', end + 4, end + 4 + length);
    if (!/^content-type: image/im.test(head) && INSIDE.test(body))
      throw new Error(`tells of its inside: ${body}`);
    statuses.push(status);
    rest = rest.subarray(end + 4 + length);
  }
  return statuses;
}

async function samples(): Promise<Buffer[]> {
  const colours: [number, number, number][] = [
    [9, 9, 200],
    [200, 9, 9],
  ];
  // Not sharp's noise, which is another one each time.
  const random = createRandom(0);
  const raw = { width: 24, height: 16, channels: 3 } as const;
  const noise = sharp(randomBytes(random, 24 * 16 * 3), { raw });
  return [
    await noise.clone().png().toBuffer(),
    await noise.clone().jpeg().toBuffer(),
    await noise.clone().webp().toBuffer(),
    await noise.clone().tiff().toBuffer(),
    await animation('gif', { colours, delay: [50, 50], loop: 0 }),
    await plain(3000, 3000).png().toBuffer(),
  ];
}

it(`${CASES} requests of strangers, and ${IDLE} connections that say nothing`, {
  timeout: 120_000,
}, async () => {
  const server = await startServer({
    limits: {
      imageBytes: 50_000,
      pixels: 1_000_000,
      uploadSeconds: 1,
      seconds: 10,
      connections: 2000,
      queue: 200,
    },
  });
  const images = await samples();
  const good = async () => (await server.post(images[0] ?? Buffer.alloc(0))).status;
  expect(await good()).toBe(200);
  const before = process.memoryUsage().rss;

  const idle = await Promise.all(Array.from({ length: IDLE }, () => server.socket()));
  expect(await good()).toBe(200);
  await Promise.all(idle.map(closed));

  const kinds = Object.entries(KINDS);
  const seen = new Map<string, Set<number>>(kinds.map(([kind]) => [kind, new Set()]));
  const failures: string[] = [];
  let next = 0;
  async function lane(): Promise<void> {
    for (let seed = next++; seed < CASES; seed = next++) {
      const [kind, make] = kinds[seed % kinds.length] ?? [];
      if (!kind || !make) throw new Error('internal: no kind');
      const random = createRandom(seed);
      const goAfterMs = random(12) === 0 ? random(30) : undefined;
      try {
        const answers = await exchange(server, make(random, images), goAfterMs);
        if (goAfterMs === undefined) for (const status of statusesOf(answers)) seen.get(kind)?.add(status);
      } catch (error) {
        failures.push(`${kind}, seed ${seed}: ${String(error)}`);
      }
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane));

  expect(failures).toEqual([]);
  expect(await good()).toBe(200);
  await server.until('cyclegan_images_running', 0);
  await server.until('cyclegan_requests_in_flight', 1);
  expect(await server.figure('cyclegan_queue_length')).toBe(0);
  expect(await server.figure('cyclegan_pending_bytes')).toBe(0);
  expect(process.memoryUsage().rss - before).toBeLessThan(MAX_GROWTH);
  const statuses = (kind: string) => [...(seen.get(kind) ?? [])].sort((a, b) => a - b);
  expect(statuses('a whole image')).toEqual([200, 413]);
  expect(statuses('a wrong type')).toContain(415);
  expect(statuses('a damaged image')).toEqual(expect.arrayContaining([200, 422]));
  expect(statuses('a damaged form')).toEqual(expect.arrayContaining([200, 400]));
  expect(statuses('damaged JSON')).toEqual(expect.arrayContaining([400, 422]));
  expect(statuses('headers that are too long')).toContain(431);
  expect(statuses('a body that does not come')).toEqual(expect.arrayContaining([408]));
  expect(statuses('many requests at once')).toEqual(expect.arrayContaining([200, 422]));
});

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', () => resolve());
    socket.resume();
  });
}
