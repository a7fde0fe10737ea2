/** `POST /v1/translate`: from a request with an image to the answer with its translation. */
import { createHash } from 'node:crypto';
import type { Direction, Precision } from '@cyclegan/runtime-core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { readHeader } from '../images/image.js';
import { type TranslatedImage, translateImage } from '../images/translate-image.js';
import { type AskedOptions, bodyLimit, readImageRequest } from './image-request.js';
import { negotiateAnswer } from './negotiate.js';
import { Problem } from './problem.js';
import { tooManyBytes } from './read-body.js';
import type { Service } from './service.js';

/** A translation as it is kept and given. */
export interface Answer extends TranslatedImage {
  direction: string;
  precision: string;
}

export function addTranslateRoute(app: FastifyInstance, service: Service): void {
  const { limits, turns, budget, answers, metrics, options: schema } = service;

  /** What can be told from the headers, so that no body is read for nothing. */
  async function checkHeaders(request: FastifyRequest): Promise<void> {
    const { headers } = request;
    service.assertTaking();
    if (headers['content-encoding'] !== undefined && headers['content-encoding'] !== 'identity') {
      throw new Problem(415, 'unsupported-type', 'Expected a body that is not compressed.', {
        headers: { 'Accept-Encoding': 'identity' },
      });
    }
    idempotencyKey(request);
    const length = Number(headers['content-length'] ?? 0);
    if (length > bodyLimit(headers['content-type'], limits.imageBytes)) throw tooManyBytes(limits.imageBytes);
    turns.assertRoom();
    budget.assertRoom(length);
  }

  async function compute(bytes: Buffer, asked: AskedOptions, signal: AbortSignal): Promise<Answer> {
    const { direction = service.direction, precision = service.precision, ...options } = asked;
    assertModel(service, direction, precision);
    await assertPixels(bytes, limits.pixels);
    const { result, waitedMs } = await turns.run(
      () =>
        service.translators.use({ direction, precision }, async (translator) => {
          const image = await translateImage(translator, bytes, {
            ...options,
            background: service.background,
            maxPixels: limits.pixels,
            signal,
          });
          return { ...image, direction, precision: translator.info.precision };
        }),
      signal,
    );
    const answer = { ...result, ms: { ...result.ms, wait: result.ms.wait + waitedMs } };
    metrics.translated({ ...answer, bytesIn: bytes.length, bytesOut: answer.data.length });
    return answer;
  }

  async function translate(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { signal } = request.visit;
    const share = budget.open();
    request.visit.atEnd(share.release);
    try {
      const query = request.query as AskedOptions;
      negotiateAnswer(request.headers, query.format);
      const { bytes, options } = await readImageRequest(request, {
        imageBytes: limits.imageBytes,
        share,
        signal,
        schema,
      });
      request.visit.startClock(limits.seconds);
      const { format, json } = negotiateAnswer(request.headers, options.format);
      const asked = { ...options, format };
      const work = () => compute(bytes, asked, signal);
      const key = idempotencyKey(request);
      let answer: Answer;
      if (key === undefined) answer = await work();
      else {
        const fingerprint = fingerprintOf(bytes, asked);
        const given = await answers.once({ key, fingerprint, signal, compute: work });
        answer = given.answer;
        if (given.repeated) {
          metrics.repeated();
          reply.header('Idempotent-Replayed', 'true');
        }
      }
      // Until the client has read it, however slowly.
      share.add(answer.data.length);
      return send(reply, answer, json, bytes.length);
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    }
  }

  app.post(
    '/v1/translate',
    {
      schema: { querystring: schema },
      onRequest: checkHeaders,
    },
    translate,
  );
}

function send(reply: FastifyReply, answer: Answer, json: boolean, bytesIn: number): FastifyReply {
  const { data, ms, type, width, height, frames, direction, precision } = answer;
  reply.request.facts = { direction, precision, width, height, frames, bytesIn, bytesOut: data.length, ms };
  reply.headers({
    Vary: 'Accept',
    'Server-Timing': Object.entries(ms)
      .map(([stage, time]) => `${stage};dur=${time.toFixed(1)}`)
      .join(', '),
  });
  if (!json) return reply.type(type).send(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  const image = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');
  return reply.send({ image, type, width, height, frames, direction, precision, ms });
}

function idempotencyKey({ headers }: FastifyRequest): string | undefined {
  const key = headers['idempotency-key'];
  if (key === undefined || (typeof key === 'string' && /^[\x21-\x7e]{1,200}$/.test(key))) return key;
  throw new Problem(
    400,
    'bad-request',
    'Expected an Idempotency-Key of 1 to 200 visible ASCII characters without spaces.',
  );
}

function fingerprintOf(bytes: Buffer, asked: AskedOptions): string {
  const options = JSON.stringify(Object.entries(asked).sort(([a], [b]) => (a < b ? -1 : 1)));
  return createHash('sha256').update(options).update('\n').update(bytes).digest('hex');
}

/** A bundle may have a precision in one direction alone. */
function assertModel({ manifest }: Service, direction: Direction, precision: Precision | undefined): void {
  const models = manifest.models.filter((model) => model.direction === direction);
  if (models.some((model) => precision === undefined || model.precision === precision)) return;
  const found = models.map((model) => model.precision).join(', ') || 'no model';
  throw new Problem(
    400,
    'bad-request',
    `Expected a precision that there is for ${direction}: ${found}, got ${precision}.`,
  );
}

/** By the header alone, so that a bomb never waits for a turn to be refused. */
async function assertPixels(bytes: Buffer, most: number): Promise<void> {
  const { width, height, frames } = await readHeader(bytes);
  if (width * height * frames <= most) return;
  throw new Problem(
    413,
    'image-too-large',
    `Expected an image of at most ${most} pixels, got ${width}x${height}${frames > 1 ? ` in ${frames} frames` : ''}. Send a smaller one.`,
  );
}
