/**
 * One model on one execution provider, in a process of its own: a provider that crashes takes its process along. Not
 * imported: started by provider-run.ts.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession } from 'onnxruntime-node';
import { fromOrt, toOrt } from '../ort/session.js';
import { placementOf } from './placement.js';
import type { ProviderAnswer, ProviderRequest } from './provider-run.js';

process.once('message', (request: ProviderRequest) => {
  answer(request)
    .catch(
      (error: unknown): ProviderAnswer => ({ error: error instanceof Error ? error.message : String(error) }),
    )
    .then((result) => process.send?.(result, () => process.exit()));
});

async function answer({ model, device, feeds }: ProviderRequest): Promise<ProviderAnswer> {
  const folder = await mkdtemp(join(tmpdir(), 'cyclegan-profile-'));
  try {
    const session = await InferenceSession.create(model, {
      executionProviders: [device],
      graphOptimizationLevel: 'all',
      logSeverityLevel: 4,
      enableProfiling: true,
      profileFilePrefix: join(folder, 'run'),
    });
    const outputs = [];
    for (const feed of feeds) {
      const given = Array.from(feed, ([name, value]) => [name, toOrt(value)] as const);
      const results = await session.run(Object.fromEntries(given));
      outputs.push(new Map(Object.entries(results).map(([name, value]) => [name, fromOrt(value)])));
    }
    session.endProfiling();
    await session.release();
    const [profile] = await readdir(folder);
    const nodes = profile === undefined ? [] : placementOf(await readFile(join(folder, profile), 'utf8'));
    return { outputs, nodes };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
