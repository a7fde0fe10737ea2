/** Everything but translating: the upload page, what the server is, how it is doing, and its OpenAPI document. */
import type { FastifyInstance } from 'fastify';
import { IMAGE_FORMATS } from './negotiate.js';
import { openApiDocument } from './openapi.js';
import type { Page } from './page.js';
import type { Service } from './service.js';

export interface StatusRoutes {
  service: Service;
  page: Page;
  /** Whether requests need the bearer token, for the document. */
  token: boolean;
}

/** Whoever asks these has no token yet, or is a probe that knows the server by its number alone; they tell nothing. */
const PUBLIC = { config: { public: true } };

export function addStatusRoutes(app: FastifyInstance, { service, page, token }: StatusRoutes): void {
  const document = openApiDocument(service, { token });

  app.get('/', PUBLIC, (_request, reply) =>
    reply.header('Content-Security-Policy', page.csp).type('text/html; charset=utf-8').send(page.html),
  );
  // The process answers: an orchestrator that gets no answer here starts it again.
  app.get('/health', PUBLIC, () => ({ status: 'ok' }));
  app.get('/ready', PUBLIC, () => {
    service.assertTaking();
    return { status: 'ready' };
  });
  app.get('/openapi.json', () => document);
  app.get('/metrics', async (_request, reply) =>
    reply.type(service.metrics.contentType).send(await service.metrics.text()),
  );
  app.get('/v1/info', () => infoOf(service));
}

function infoOf({ manifest, direction, info, limits, state }: Service) {
  const { name, models } = manifest;
  const running = info && {
    direction: info.direction,
    precision: info.precision,
    device: info.device,
    threads: info.threads,
    workers: info.workers,
  };
  return {
    ...{ name, state, direction },
    directions: [...new Set(models.map((model) => model.direction))],
    precisions: [...new Set(models.map((model) => model.precision))],
    models: models.map((model) => ({ direction: model.direction, precision: model.precision })),
    formats: IMAGE_FORMATS,
    running: running ?? null,
    limits: { imageBytes: limits.imageBytes, pixels: limits.pixels, seconds: limits.seconds },
  };
}
