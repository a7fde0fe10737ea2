/** Requests as strangers send them, made from seeded numbers: random, cut, mistyped, too long. Sends nothing. */

export type Random = (below: number) => number;

/** Mulberry32: the same numbers on every machine. */
export function createRandom(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const pick = <T>(random: Random, from: readonly T[]): T => from[random(from.length)] as T;
export const randomBytes = (random: Random, length: number) =>
  Buffer.from(Array.from({ length }, () => random(256)));

/** Cut, flipped, doubled or filled in somewhere. */
function damage(random: Random, bytes: Buffer): Buffer {
  const at = random(bytes.length);
  const kinds = [
    () => bytes.subarray(0, at),
    () => Buffer.concat([bytes.subarray(0, at), bytes]),
    () => Buffer.concat([bytes.subarray(0, at), randomBytes(random, 1 + random(40)), bytes.subarray(at)]),
    () => {
      const copy = Buffer.from(bytes);
      for (let i = random(6); i >= 0; i -= 1) copy[random(copy.length)] = random(256);
      return copy;
    },
  ];
  return pick(random, kinds)();
}

interface Request {
  method?: string;
  path?: string;
  headers?: Record<string, string>;
  body?: Buffer;
  /** Of the body that is announced. */
  length?: number;
  last?: boolean;
}

function written({
  method = 'POST',
  path = '/v1/translate',
  headers = {},
  body,
  length,
  last = true,
}: Request): Buffer {
  const lines = Object.entries({
    Host: '127.0.0.1',
    'Content-Type': 'image/png',
    Connection: last ? 'close' : 'keep-alive',
    'Content-Length': String(length ?? body?.length ?? 0),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}`);
  const head = Buffer.from(`${[`${method} ${path} HTTP/1.1`, ...lines].join('\r\n')}\r\n\r\n`, 'latin1');
  return Buffer.concat([head, body ?? Buffer.alloc(0)]);
}

function formOf(image: Buffer): Buffer {
  const part = (name: string, more = '') =>
    `--b\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n`;
  return Buffer.concat([
    Buffer.from(`${part('direction')}BtoA\r\n${part('image', '; filename="a.png"')}`),
    image,
    Buffer.from('\r\n--b--\r\n'),
  ]);
}

export type Make = (random: Random, images: readonly Buffer[]) => Buffer;
const FORM = { 'Content-Type': 'multipart/form-data; boundary=b' };
const JSON_TYPE = { 'Content-Type': 'application/json' };
const jsonOf = (image: Buffer, more = {}) =>
  Buffer.from(JSON.stringify({ image: image.toString('base64'), ...more }));
const WORDS = [
  '',
  'AtoB',
  'BtoA',
  'keep',
  'png',
  '-1',
  '0',
  '1e999',
  'NaN',
  '%00',
  '%ff',
  '__proto__',
  '../..',
  'x'.repeat(300),
];
const NAMES = [
  'direction',
  'precision',
  'format',
  'quality',
  'metadata',
  'profile',
  '__proto__',
  'constructor',
  'url',
  '',
];

/** What is sent, by kind: from seeded numbers and image files to bytes for a bare socket. */
export const KINDS: Readonly<Record<string, Make>> = {
  'a whole image': (random, images) => written({ body: pick(random, images) }),
  'random bytes as an image': (random) => written({ body: randomBytes(random, random(2000)) }),
  'a damaged image': (random, images) => written({ body: damage(random, pick(random, images)) }),
  'a wrong type': (random, images) => {
    const types = [
      'text/html',
      'image/',
      'IMAGE/PNG',
      '',
      'a/b/c',
      'application/json;;',
      'multipart/form-data',
      '\x80',
    ];
    return written({ body: pick(random, images), headers: { 'Content-Type': pick(random, types) } });
  },
  'a damaged form': (random, images) =>
    written({ body: damage(random, formOf(pick(random, images))), headers: FORM }),
  'a form of random bytes': (random) => written({ body: randomBytes(random, random(500)), headers: FORM }),
  'damaged JSON': (random, images) =>
    written({ body: damage(random, jsonOf(pick(random, images))), headers: JSON_TYPE }),
  'JSON of other values': (random, images) => {
    const values = [null, 1, [], {}, '', true, { __proto__: 1 }, 'AtoB', ['AtoB']];
    const more = { [pick(random, NAMES)]: pick(random, values) };
    return written({ body: jsonOf(pick(random, images), more), headers: JSON_TYPE });
  },
  'odd options': (random, images) => {
    const query = Array.from(
      { length: 1 + random(3) },
      () => `${pick(random, NAMES)}=${pick(random, WORDS)}`,
    );
    return written({ path: `/v1/translate?${query.join('&')}`, body: pick(random, images) });
  },
  'odd headers': (random, images) => {
    const names = [
      'Accept',
      'Idempotency-Key',
      'X-Request-Id',
      'Origin',
      'Host',
      'Content-Encoding',
      'Expect',
    ];
    const names2 = [
      ...names,
      'Authorization',
      'Transfer-Encoding',
      'Content-Length',
      'Upgrade',
      'Range',
      'Cookie',
    ];
    const values = [
      '',
      '*/*;q=2',
      ',;,',
      'image/*;q=0',
      'a b',
      '\xe9',
      '-1',
      'gzip',
      '1'.repeat(30),
      '100-continue',
      'null',
    ];
    return written({ headers: { [pick(random, names2)]: pick(random, values) }, body: pick(random, images) });
  },
  'an odd address': (random, images) => {
    const paths = [
      '/',
      '//',
      '/%2e%2e/%2e%2e/etc/passwd',
      '/%',
      '*',
      '/v1',
      '/v1/translate/',
      '/metrics?a[]=1',
      `/${'a/'.repeat(900)}`,
    ];
    const method = pick(random, ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'PROPFIND']);
    return written({ method, path: pick(random, paths), body: pick(random, images) });
  },
  'random bytes as HTTP': (random) => randomBytes(random, 1 + random(300)),
  'damaged HTTP': (random, images) => damage(random, written({ body: pick(random, images) })),
  'headers that are too long': (random) => written({ headers: { X: 'x'.repeat(10_000 + random(30_000)) } }),
  'chunks that are none': (random) => {
    const chunks = pick(random, [
      'zz\r\n',
      '5\r\nab',
      'ffffffffffffffff\r\na',
      '-1\r\n\r\n',
      '0\r\n\r\n',
      '1;x\r\na\r\n0\r\n\r\n',
    ]);
    const head =
      'POST /v1/translate HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: image/png\r\nConnection: close\r\n';
    return Buffer.from(`${head}Transfer-Encoding: chunked\r\n\r\n${chunks}`);
  },
  'a body that does not come': (random, images) => {
    const body = pick(random, images);
    return written({ body: body.subarray(0, random(body.length)), length: body.length });
  },
  'many requests at once': (random, images) => {
    const count = 2 + random(6);
    const each = (_: unknown, i: number) =>
      written({ body: random(3) ? pick(random, images) : randomBytes(random, 50), last: i === count - 1 });
    return Buffer.concat(Array.from({ length: count }, each));
  },
};
