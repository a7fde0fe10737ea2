/**
 * The error that every package throws for what a user can mend. Not for broken invariants: those are plain
 * `Error`s whose message begins with `internal:`.
 */

/** What went wrong, for programs; the message is for people. */
export type ErrorCode =
  /** A command line or an options object that cannot be meant: the CLI ends with 2. */
  | 'usage'
  /** An input file, image or folder that is missing, unreadable, too small, too large or of the wrong kind. */
  | 'input'
  /** A bundle, manifest, model file or checkpoint that is missing, damaged, or from a newer version. */
  | 'bundle'
  /** A place that cannot be written. */
  | 'output'
  /** No execution provider could run the model. */
  | 'device'
  /** A run folder that does not fit the command (another config, nothing to resume). */
  | 'run'
  /** A Redis or a storage that does not answer now: worth another try later. */
  | 'unavailable'
  /** The caller's AbortSignal fired. */
  | 'aborted';

/**
 * A failure a user can act on. The message is one sentence: `[package] what: expected X, got Y. Fix.`;
 * the cause, where there is one, is kept for `--debug`.
 */
export class CycleganError extends Error {
  override readonly name = 'CycleganError';
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** Whether `error` is a {@link CycleganError}, also one that crossed a worker boundary and lost its class. */
export function isCycleganError(error: unknown): error is CycleganError {
  return error instanceof Error && error.name === 'CycleganError' && 'code' in error;
}

/** What an error says, on one line: native code and parsers put line breaks into it, and what they stumbled on. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
}

/** Throws the `aborted` error when `signal` has fired. */
export function throwIfAborted(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted) {
    throw new CycleganError('aborted', `${what}: stopped on request.`, { cause: signal.reason });
  }
}

/** An error as plain data, for the way out of a worker: structured clone drops names and codes. */
export interface ErrorData {
  name: string;
  message: string;
  stack: string | undefined;
  code: ErrorCode | undefined;
}

export function errorToData(error: unknown): ErrorData {
  if (!(error instanceof Error)) {
    return { name: 'Error', message: String(error), stack: undefined, code: undefined };
  }
  const { name, message, stack } = error;
  return { name, message, stack, code: isCycleganError(error) ? error.code : undefined };
}

/** The error again, as a {@link CycleganError} where it was one; the worker's stack is kept. */
export function errorFromData(data: ErrorData): Error {
  const error = data.code ? new CycleganError(data.code, data.message) : new Error(data.message);
  if (data.stack) error.stack = data.stack;
  return error;
}
