/** What the graph package refuses, as an error of this package. */
import { GraphError } from '@cyclegan/graph';
import { CycleganError, type ErrorCode } from '@cyclegan/runtime-core';

/**
 * @param where what was read or made, for the message
 * @returns a CycleganError in a GraphError's place; any other error as it is
 */
export function graphFailure(code: ErrorCode, where: string, error: unknown): unknown {
  if (!(error instanceof GraphError)) return error;
  return new CycleganError(code, `[export] ${where}: ${error.message}`, { cause: error });
}
