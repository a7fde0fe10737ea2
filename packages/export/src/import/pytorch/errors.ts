/** The sentences in which a PyTorch file is refused. */
import { CycleganError } from '@cyclegan/runtime-core';

/** The error of bytes that no torch.save wrote. */
export function damaged(where: string, expected: string, got: string, cause?: unknown): CycleganError {
  return refused(where, expected, got, 'The file is damaged or no PyTorch file; take another copy.', cause);
}

/** The error of a sound file that holds something else than a network's weights. */
export function refused(
  where: string,
  expected: string,
  got: string,
  fix: string,
  cause?: unknown,
): CycleganError {
  const options = cause === undefined ? {} : { cause };
  return new CycleganError('bundle', sentence(where, expected, got, fix), options);
}

/** The error of a choice that the file does not offer. */
export function wrongChoice(where: string, expected: string, got: string, fix: string): CycleganError {
  return new CycleganError('usage', sentence(where, expected, got, fix));
}

/** Names come from the file: nothing in them may reach a terminal but text. */
function sentence(where: string, expected: string, got: string, fix: string): string {
  return `[export] ${where}: expected ${expected}, got ${got}. ${fix}`.replace(/\p{C}/gu, '?');
}

/** What the user can do about a file of another kind. */
export const SAVE_WEIGHTS = 'Save the weights alone, with torch.save(net.state_dict(), path).';

/** A name that came from a file, no longer than people read. */
export function short(name: string): string {
  return name.length > 160 ? `${name.slice(0, 160)}…` : name;
}

/** Up to ten of a list, and how many more. */
export function listed(names: readonly string[], most = 10): string {
  const more = names.length - most;
  return `${names.slice(0, most).map(short).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
