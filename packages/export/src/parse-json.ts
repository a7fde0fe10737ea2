/** JSON from outside, on its way to a schema. */

/** @returns undefined for text that is none */
export function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}
