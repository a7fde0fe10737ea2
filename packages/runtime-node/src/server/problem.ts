/**
 * Answers that are not an image: problem details (RFC 9457), one sentence each. No path, stack or word of a library
 * is ever in one; what happened inside goes to the log.
 */
import { STATUS_CODES } from 'node:http';

/** What went wrong, for programs that call the server. */
export type ProblemCode =
  | 'bad-request'
  | 'unauthorized'
  | 'forbidden-origin'
  | 'not-found'
  | 'method-not-allowed'
  | 'not-acceptable'
  | 'timeout'
  | 'image-too-large'
  | 'unsupported-type'
  | 'unknown-host'
  | 'unreadable-image'
  | 'key-reused'
  | 'headers-too-large'
  | 'internal'
  | 'busy'
  | 'too-slow'
  | 'loading'
  | 'closing'
  | 'unavailable';

/** Thrown anywhere in a route; the server's error handler makes the answer of it. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  readonly code: ProblemCode;
  readonly headers: Readonly<Record<string, string>>;

  /** @param detail one sentence for the caller, which says what to do */
  constructor(
    status: number,
    code: ProblemCode,
    detail: string,
    options: { headers?: Record<string, string>; cause?: unknown } = {},
  ) {
    super(detail, { cause: options.cause });
    this.status = status;
    this.code = code;
    this.headers = options.headers ?? {};
  }

  /** As HTTP calls the status. */
  get title(): string {
    return STATUS_CODES[this.status] ?? 'Error';
  }
}

export const PROBLEM_TYPE = 'application/problem+json';

/** The answer's body. */
export function problemBody(problem: Problem, requestId?: string): string {
  return JSON.stringify({
    type: 'about:blank',
    title: problem.title,
    status: problem.status,
    code: problem.code,
    detail: problem.message,
    ...(requestId !== undefined && { requestId }),
  });
}

/** 503 with the seconds after which trying again makes sense. */
export function comeBackLater(code: ProblemCode, detail: string, seconds: number, cause?: unknown): Problem {
  return new Problem(503, code, detail, { headers: { 'Retry-After': String(seconds) }, cause });
}
