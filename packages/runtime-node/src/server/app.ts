/**
 * The fastify app over a service: what every request passes (its visit, access, headers, the log's line) and what
 * becomes of errors. Listens to nothing.
 */
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import multipart from '@fastify/multipart';
import {
  type ConnectionError,
  type FastifyInstance,
  type FastifyServerOptions,
  fastify,
  LogController,
} from 'fastify';
import type { Access } from './access.js';
import { asProblem, rawProblem, wrongOption } from './errors.js';
import type { Page } from './page.js';
import { PROBLEM_TYPE, Problem, problemBody } from './problem.js';
import type { Service } from './service.js';
import { addStatusRoutes } from './status-routes.js';
import { addTranslateRoute } from './translate-route.js';
import { CLIENT_GONE, type Visit } from './visits.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Undefined alone where fastify refuses an address before any hook. */
    visit: Visit;
    /** Of a translation, for the log. */
    facts: object | undefined;
  }
  interface FastifyContextConfig {
    /** Answered without a token, and under any name. */
    public?: boolean;
  }
}

export interface AppOptions {
  service: Service;
  access: Access;
  page: Page;
  token: boolean;
  logger: FastifyServerOptions['logger'];
}

/** For answers that no browser shows; the page has its own policy. */
const HEADERS = {
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
};

const KEEP_ALIVE_MS = 10_000;
const HEADER_SECONDS = 10;
/** What a connection may be silent beyond the time that an image may take. */
const SPARE_MS = 10_000;

export async function createApp({ service, access, page, token, logger }: AppOptions) {
  const { limits, visits, metrics } = service;
  const app = fastify({
    logger: logger ?? false,
    // One line for a request, written below when it is over.
    logController: new LogController({ disableRequestLogging: true }),
    http: {
      headersTimeout: 1000 * Math.min(HEADER_SECONDS, limits.uploadSeconds),
      connectionsCheckingInterval: 500,
    },
    requestTimeout: 1000 * limits.uploadSeconds,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // Ends clients that read their answers too slowly, which would else stay in memory.
    connectionTimeout: 1000 * Math.max(limits.seconds, limits.uploadSeconds) + SPARE_MS,
    genReqId: ({ headers }) => requestId(headers['x-request-id']),
    ajv: { customOptions: { removeAdditional: false, coerceTypes: true } },
    schemaErrorFormatter: wrongOption,
    frameworkErrors: (error, request, { raw }) => {
      const problem = asProblem(error);
      raw.writeHead(problem.status, {
        ...HEADERS,
        'Content-Type': PROBLEM_TYPE,
        'X-Request-Id': request.id,
      });
      raw.end(problemBody(problem, request.id));
    },
    clientErrorHandler: (error, socket) => answerBroken(error, socket),
  });
  app.server.maxConnections = limits.connections;

  /** What could not be read as HTTP, or did not arrive in time. */
  function answerBroken(error: ConnectionError, socket: Socket): void {
    if (error.code === 'ECONNRESET' || !socket.writable || !visits.mayAnswer(socket)) socket.destroy();
    else socket.end(rawProblem(error.code));
  }

  app.decorateRequest('facts', undefined);
  app.addHook('onRequest', async (request, reply) => {
    const { raw, routeOptions } = request;
    request.visit = visits.begin(raw.socket, reply.raw);
    reply.headers({ ...HEADERS, 'X-Request-Id': request.id });
    const began = performance.now();
    request.visit.atEnd(() => {
      const ms = performance.now() - began;
      const status = reply.raw.writableFinished ? reply.statusCode : CLIENT_GONE;
      const route = routeOptions.url ?? 'none';
      metrics.answered({ route, status, seconds: ms / 1000 });
      const facts = { method: raw.method, route, status, totalMs: ms, ...request.facts };
      request.log.info(facts, 'request');
    });
    if (routeOptions.config.public) return;
    access.assertOwn(request.headers);
    access.assertToken(request.headers.authorization);
  });
  await app.register(multipart, { throwFileSizeLimit: false });
  app.removeContentTypeParser('application/json');
  app.removeContentTypeParser('text/plain');
  // The route reads these itself, bounded.
  for (const type of ['application/json', 'application/octet-stream', /^image\//]) {
    app.addContentTypeParser(type, (_request, _body, done) => done(null));
  }

  app.addHook('onSend', async (_request, reply) => {
    if (service.state === 'closing') reply.header('Connection', 'close');
  });

  app.setErrorHandler((error, request, reply) => {
    const problem = asProblem(error);
    if (problem.status === 500) request.log.error({ err: error }, 'unexpected error');
    else if (problem.cause) request.log.debug({ err: problem.cause }, problem.code);
    return reply
      .code(problem.status)
      .headers({ ...HEADERS, ...problem.headers })
      .type(PROBLEM_TYPE)
      .send(problemBody(problem, request.id));
  });
  app.setNotFoundHandler((request) => {
    throw notFound(app, request.url.replace(/[?#].*$/s, ''));
  });

  addStatusRoutes(app, { service, page, token });
  addTranslateRoute(app, service);
  return app;
}

function notFound(app: FastifyInstance, url: string): Problem {
  const allowed = (['GET', 'HEAD', 'POST'] as const).filter((method) => app.hasRoute({ method, url }));
  if (allowed.length === 0) {
    return new Problem(
      404,
      'not-found',
      'There is nothing at this address. GET /openapi.json lists what is.',
    );
  }
  const list = allowed.join(', ');
  return new Problem(405, 'method-not-allowed', `Expected the method ${list}.`, { headers: { Allow: list } });
}

/** The caller's own, where it is a plain name: what goes into the log is not theirs to write. */
function requestId(given: string | string[] | undefined): string {
  return typeof given === 'string' && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID();
}
