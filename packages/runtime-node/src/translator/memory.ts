/** How much memory a translation may take where the program does not say. */

/** So that a large machine does not spend on one image what others could use. */
const MOST = 4 * 2 ** 30;

/**
 * Each translation's share of half of what this process may still take, at most 4 GiB; bytes.
 * @param count translations that run side by side
 */
export function freeMemory(count: number): number {
  return Math.min(MOST, Math.max(1, process.availableMemory() / 2 / count));
}
