/** What a caller is told of an error, whoever threw it: fastify, its parsers, Node's HTTP parser, or our own code. */
import { isCycleganError } from '@cyclegan/runtime-core';
import type { FastifySchemaValidationError } from 'fastify';
import { comeBackLater, PROBLEM_TYPE, Problem, problemBody } from './problem.js';

const UNAVAILABLE_RETRY = 10;

/** Never has a word of `error`'s own in it, unless it is a Problem: paths and stacks are for the log. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (isCycleganError(error)) return ofTranslation(error);
  const status = statusOf(error);
  if (status === 413)
    return new Problem(413, 'image-too-large', 'Expected a smaller body.', { cause: error });
  if (status === 415 || status === 406) return unsupportedType(error);
  if (status >= 400 && status < 500) {
    return new Problem(400, 'bad-request', 'Expected a well-formed request.', { cause: error });
  }
  return new Problem(500, 'internal', 'Something went wrong inside. The log has it by the request id.', {
    cause: error,
  });
}

function ofTranslation(error: Error & { code: string }): Problem {
  if (error.code === 'input') return unreadable(error);
  if (error.code === 'usage') {
    return new Problem(400, 'bad-request', 'The options do not fit the models of this server.', {
      cause: error,
    });
  }
  return comeBackLater('unavailable', 'The model cannot be run at the moment.', UNAVAILABLE_RETRY, error);
}

function unreadable(cause: unknown): Problem {
  const detail =
    'Expected a whole image (JPEG, PNG, WebP, AVIF, TIFF, GIF) of a size that the model and the format take.';
  return new Problem(422, 'unreadable-image', detail, { cause });
}

function unsupportedType(cause: unknown): Problem {
  const detail =
    'Expected a body of type image/*, application/octet-stream, multipart/form-data or application/json.';
  const headers = {
    'Accept-Post': 'image/*, application/octet-stream, multipart/form-data, application/json',
  };
  return new Problem(415, 'unsupported-type', detail, { cause, headers });
}

function statusOf(error: unknown): number {
  const { statusCode } = typeof error === 'object' && error !== null && 'statusCode' in error ? error : {};
  return typeof statusCode === 'number' ? statusCode : 500;
}

/** The first thing that is wrong with the options, in a sentence. */
export function wrongOption(errors: readonly FastifySchemaValidationError[]): Problem {
  const [first] = errors;
  const name = first?.instancePath.replace(/^\//, '');
  const { allowedValues } = first?.params ?? {};
  if (!name) {
    return new Problem(
      400,
      'bad-request',
      'Expected no options but direction, precision, format, quality, metadata and profile.',
    );
  }
  const expected = Array.isArray(allowedValues) ? `one of ${allowedValues.join(', ')}` : first?.message;
  return new Problem(400, 'bad-request', `Wrong option ${name}: expected ${expected}.`);
}

/** The whole answer to what could not be read as HTTP, as it goes over the wire. */
export function rawProblem(code: string): string {
  const problem = ofParser(code);
  const body = problemBody(problem);
  return [
    `HTTP/1.1 ${problem.status} ${problem.title}`,
    'Connection: close',
    `Content-Type: ${PROBLEM_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}

function ofParser(code: string): Problem {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new Problem(408, 'timeout', 'Expected the whole request sooner.');
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new Problem(431, 'headers-too-large', 'Expected smaller headers.');
  }
  return new Problem(400, 'bad-request', 'Expected a well-formed HTTP request.');
}
