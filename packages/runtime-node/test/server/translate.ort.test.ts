/** Images over HTTP: every kind of body, both directions, every form of answer, and repeats by key. */
import { createTranslator, translateImage } from '@cyclegan/runtime-node';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { animation } from '../image-files.ts';
import { noise, tinyBundle } from '../support.ts';
import { problemOf, sharedServer, smallImage, startServer } from './support.ts';

const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer());

/** What the library makes of it, without a server. */
async function expected(image: Uint8Array, direction: 'AtoB' | 'BtoA'): Promise<Buffer> {
  const translator = await createTranslator(tinyBundle, { direction, device: 'cpu', threads: 1 });
  try {
    return Buffer.from((await translateImage(translator, image)).data);
  } finally {
    await translator.dispose();
  }
}

function form(image: Uint8Array, fields: Record<string, string> = {}): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.set(name, value);
  data.set('image', new Blob([new Uint8Array(image)]), 'photo.png');
  return data;
}

describe('bodies', () => {
  const shared = sharedServer();

  it('raw, form and JSON give what the library gives, in both directions', async () => {
    const server = shared();
    const image = await smallImage();
    for (const direction of ['AtoB', 'BtoA'] as const) {
      const wanted = await expected(image, direction);
      const query = `?direction=${direction}`;
      const json = JSON.stringify({ image: image.toString('base64'), direction });
      const answers = await Promise.all([
        server.post(image, { query }),
        server.post(image, { query, headers: { 'Content-Type': 'application/octet-stream' } }),
        server.post(form(image), { query }),
        server.post(form(image, { direction })),
        server.post(json, { headers: { 'Content-Type': 'Application/JSON; charset=utf-8' } }),
      ]);
      for (const answer of answers) {
        expect(answer.status).toBe(200);
        expect(answer.headers.get('content-type')).toBe('image/png');
        expect(answer.headers.get('server-timing')).toMatch(/^decode;dur=.*wait;.*run;.*encode;dur=[\d.]+$/);
        expect((await bytesOf(answer)).equals(wanted)).toBe(true);
      }
    }
  });

  it('an image of megabytes comes in every kind of body', async () => {
    const server = shared();
    const image = await noise(1100, 1000).png({ compressionLevel: 0 }).toBuffer();
    expect(image.length).toBeGreaterThan(3e6);
    const query = '?format=jpg';
    const json = JSON.stringify({ image: image.toString('base64') });
    const answers = await Promise.all([
      server.post(image, { query }),
      server.post(form(image), { query }),
      server.post(json, { query, headers: { 'Content-Type': 'application/json' } }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  it.each<[string, string | FormData, Record<string, string>]>([
    ['an empty body', '', {}],
    ['JSON that is cut', '{"image":"aGV', { 'Content-Type': 'application/json' }],
    ['JSON without an image', '{}', { 'Content-Type': 'application/json' }],
    ['JSON with an address', '{"image":"https://example.org/a.png"}', { 'Content-Type': 'application/json' }],
    ['a JSON list', '["aGVq"]', { 'Content-Type': 'application/json' }],
    ['an unknown option in JSON', '{"image":"aGVq","x":1}', { 'Content-Type': 'application/json' }],
    ['a form without a file', new FormData(), {}],
    [
      'a form of another field',
      (() => {
        const data = new FormData();
        data.set('file', new Blob(['x']), 'a.png');
        return data;
      })(),
      {},
    ],
    ['a form that is cut', '--b\r\nContent-Dispos', { 'Content-Type': 'multipart/form-data; boundary=b' }],
    ['a form without a boundary', 'x', { 'Content-Type': 'multipart/form-data' }],
    ['an unknown option in a form', form(Buffer.from('x'), { url: 'file:///etc/passwd' }), {}],
    ['a field of a prototype', form(Buffer.from('x'), { __proto__x: '1', constructor: 'x' }), {}],
  ])('%s is 400', async (_, body, headers) => {
    const server = shared();
    expect(await problemOf(await server.post(body, { headers }))).toEqual({
      status: 400,
      code: 'bad-request',
    });
  });

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/mixed; boundary=b',
    'imagex/png',
    'a',
  ])('a body of type %s is 415', async (type) => {
    const server = shared();
    const answer = await server.post('x', { headers: { 'Content-Type': type } });
    expect(await problemOf(answer)).toEqual({ status: 415, code: 'unsupported-type' });
  });

  it('what is no whole image is 422', async () => {
    const server = shared();
    const image = await smallImage();
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20"/>');
    const tiny = await sharp(image).resize(3, 3).png().toBuffer();
    for (const body of [image.subarray(0, image.length >> 1), Buffer.alloc(999, 7), svg, tiny]) {
      expect(await problemOf(await server.post(body))).toEqual({ status: 422, code: 'unreadable-image' });
    }
  });

  it.each([
    '?direction=AtoC',
    '?precision=int8',
    '?format=bmp',
    '?quality=0',
    '?quality=x',
    '?x=1',
    '?format=png&format=gif',
  ])('%s is 400', async (query) => {
    const server = shared();
    const answer = await server.post(await smallImage(), { query });
    expect(await problemOf(answer)).toEqual({ status: 400, code: 'bad-request' });
  });
});

describe('the form of the answer', () => {
  const shared = sharedServer();

  const cases: [accept: string | undefined, query: string, type: string][] = [
    [undefined, '', 'image/png'],
    ['*/*', '', 'image/png'],
    ['image/*', '', 'image/png'],
    ['image/webp', '', 'image/webp'],
    ['image/gif;q=0.1, image/jpeg', '', 'image/jpeg'],
    ['text/html, image/avif;q=0.5', '', 'image/avif'],
    ['image/webp', '?format=tiff', 'image/tiff'],
    [undefined, '?format=jpg&quality=40', 'image/jpeg'],
    ['application/json', '', 'application/json; charset=utf-8'],
  ];
  it.each(cases)('Accept: %s and %s give %s', async (accept, query, type) => {
    const server = shared();
    const headers = accept === undefined ? {} : { Accept: accept };
    const answer = await server.post(await smallImage(), { query, headers });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, type]);
    expect(answer.headers.get('vary')).toBe('Accept');
    const bytes = await bytesOf(answer);
    if (type.startsWith('image/')) {
      const { width, height } = await sharp(bytes).metadata();
      expect([width, height]).toEqual([24, 16]);
    }
  });

  it('in JSON, the image comes as base64 with the facts', async () => {
    const server = shared();
    const answer = await server.post(await smallImage(), {
      query: '?format=webp&direction=BtoA',
      headers: { Accept: 'application/json' },
    });
    const { image, ...facts } = (await answer.json()) as { image: string };
    expect(facts).toMatchObject({
      type: 'image/webp',
      width: 24,
      height: 16,
      frames: 1,
      direction: 'BtoA',
      precision: 'fp32',
    });
    expect(await sharp(Buffer.from(image, 'base64')).metadata()).toMatchObject({ format: 'webp', width: 24 });
  });

  it('what is transparent shows the background in JPEG', async () => {
    const server = await startServer({ background: [0, 0, 255] });
    const clear = { width: 24, height: 16, channels: 4, background: { r: 9, g: 9, b: 9, alpha: 0 } } as const;
    const answer = await server.post(await sharp({ create: clear }).png().toBuffer(), {
      query: '?format=jpg',
    });
    const { channels } = await sharp(await bytesOf(answer)).stats();
    expect(channels.map(({ mean }) => Math.round(mean / 255))).toEqual([0, 0, 1]);
  });

  it('an animation stays one', async () => {
    const server = shared();
    const colours: [number, number, number][] = [
      [200, 9, 9],
      [9, 200, 9],
      [9, 9, 200],
    ];
    const gif = await animation('gif', { colours, delay: [100, 50, 100], loop: 0 });
    const answer = await server.post(gif, { headers: { 'Content-Type': 'image/gif' } });
    expect(await sharp(await bytesOf(answer)).metadata()).toMatchObject({ format: 'gif', pages: 3 });
  });

  it('none that Accept allows is 406, before the body is read', async () => {
    const server = shared();
    const answer = await server.post(Buffer.from('x'), { headers: { Accept: 'text/html' } });
    expect(await problemOf(answer)).toEqual({ status: 406, code: 'not-acceptable' });
  });
});

describe('Idempotency-Key', () => {
  const headers = { 'Idempotency-Key': 'order-17' };

  it('a repeat gets the first answer, another request with the key 422', async () => {
    const server = await startServer();
    const image = await smallImage();
    const first = await server.post(image, { headers });
    const second = await server.post(image, { headers });
    expect(first.headers.get('idempotent-replayed')).toBeNull();
    expect(second.headers.get('idempotent-replayed')).toBe('true');
    expect((await bytesOf(second)).equals(await bytesOf(first))).toBe(true);
    expect(await server.figure('cyclegan_images_total{direction="AtoB",precision="fp32"}')).toBe(1);
    const other = await server.post(image, { headers, query: '?direction=BtoA' });
    expect(await problemOf(other)).toEqual({ status: 422, code: 'key-reused' });
  });

  it('many at once are computed once', async () => {
    const server = await startServer();
    const image = await smallImage();
    const answers = await Promise.all(Array.from({ length: 8 }, () => server.post(image, { headers })));
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200));
    expect(await server.figure('cyclegan_images_total{direction="AtoB",precision="fp32"}')).toBe(1);
    expect(await server.figure('cyclegan_repeated_answers_total')).toBe(7);
  });

  it('what failed is tried again, and a key that is none is 400', async () => {
    const server = await startServer();
    const image = await smallImage();
    expect((await server.post(image.subarray(0, 80), { headers })).status).toBe(422);
    expect((await server.post(image, { headers })).status).toBe(200);
    const wrong = await server.post(image, { headers: { 'Idempotency-Key': 'two words' } });
    expect(await problemOf(wrong)).toEqual({ status: 400, code: 'bad-request' });
  });
});
