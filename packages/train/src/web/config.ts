/** A page's options as the config of a run, by the same rules as Node's. Runs in the worker. */
import { type RunConfig, type RunOptions, resolveConfig } from '../config/index.js';
import { wrong } from '../config/options.js';
import { type WebRunOptions, webPresets } from './options.js';

/** Above these a step takes a page seconds, and its memory. */
const most = { size: 128, ngf: 64, ndf: 64, blocks: 9, batch: 16 } as const;

/**
 * @param counts images of each domain
 * @throws CycleganError `usage`
 */
export function resolveWebConfig(
  { preset: name = 'quick', ...given }: WebRunOptions,
  counts: { a: number; b: number },
  sampleEvery: number | undefined,
): RunConfig {
  if (!Object.hasOwn(webPresets, name)) throw wrong('preset', Object.keys(webPresets).join(' or '), name);
  const preset = webPresets[name];
  const asked = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const options: RunOptions = { ...preset, ...asked, decaySteps: decayOf(preset, given) };
  for (const [key, limit] of Object.entries(most)) {
    const value = options[key as keyof typeof most];
    if (value !== undefined && !(value <= limit)) throw wrong(key, `at most ${limit} in a page`, value);
  }
  if (sampleEvery !== undefined && !(Number.isInteger(sampleEvery) && sampleEvery > 0)) {
    throw wrong('sampleEvery', 'a whole number from 1 on', sampleEvery);
  }
  const config = resolveConfig(options, {
    a: 'images of A',
    b: 'images of B',
    stepsPerEpoch: (batch) => Math.ceil(Math.max(counts.a, counts.b) / batch),
    threads: 1,
  });
  return { ...config, sampleEvery: sampleEvery ?? config.sampleEvery };
}

/** Half of the steps that were asked for, as in the presets. */
function decayOf(preset: { decaySteps: number }, { steps, decaySteps }: WebRunOptions): number {
  return decaySteps ?? (steps === undefined ? preset.decaySteps : Math.floor(steps / 2));
}
