/**
 * A bundle behind HTTP, as a library. Needs `fastify`, `@fastify/multipart`, `lru-cache`, `negotiator` and
 * `prom-client` beside this package.
 */
export { DEFAULT_LIMITS, type Limits } from './limits.js';
export type { ProblemCode } from './problem.js';
export { createServer, type Server, type ServerOptions } from './server.js';
