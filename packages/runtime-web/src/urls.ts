/** Addresses as a page means them: relative to the document, or to the worker that has none. */

/** An absolute URL; `ending` is added to the path where it lacks it, so that a folder resolves names inside itself. */
export function pageUrl(address: string | URL, ending = ''): string {
  const url = new URL(address, globalThis.document?.baseURI ?? globalThis.location.href);
  if (!url.pathname.endsWith(ending)) url.pathname += ending;
  return url.href;
}
