/** What the graph package refuses, as an error of this package: one sentence, whatever names a file gives its values. */
import { GraphError } from '@cyclegan/graph';
import { CycleganError, type ErrorCode } from '@cyclegan/runtime-core';

const LONGEST = 2000;

/** Without line breaks and other control characters, and of bounded length: names in files may be anything. */
export function oneLine(text: string): string {
  const plain = text.replaceAll(/\p{Cc}/gu, '?');
  return plain.length > LONGEST ? `${plain.slice(0, LONGEST)} … and so on.` : plain;
}

/**
 * @param where what was read or made, for the message
 * @returns a CycleganError in a GraphError's place; any other error as it is
 */
export function graphFailure(code: ErrorCode, where: string, error: unknown): unknown {
  if (!(error instanceof GraphError)) return error;
  return new CycleganError(code, `[export] ${where}: ${oneLine(error.message)}`, { cause: error });
}
