/** This tool as bundles name it. */
import { readFileSync } from 'node:fs';

export const TOOL = 'cyclegan';

/** The version in this package's package.json. */
export function toolVersion(): string {
  const json: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return typeof json === 'object' && json !== null && 'version' in json ? String(json.version) : 'unknown';
}
