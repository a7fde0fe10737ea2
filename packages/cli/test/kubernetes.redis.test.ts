/** deploy/kubernetes against what really runs: the settings of Redis, the names of its lists, the worker's words. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openFleet } from '@cyclegan/runtime-node/fleet';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { hasRedis, startRedis } from '../../../test/support/redis.ts';
import { makeImages } from '../../runtime-node/test/fleet/support.ts';
import { temporaryFolder, tinyBundle } from '../../runtime-node/test/support.ts';
import { kubernetesFolder, resource } from './support/kubernetes.ts';
import { cli } from './support/run-cli.ts';

describe.skipIf(!hasRedis)('the queue', () => {
  test('with its redis.conf nothing is warned of, and KEDA looks at the right lists', async () => {
    const folder = temporaryFolder();
    // There is no /data here.
    const settings = readFileSync(join(kubernetesFolder, 'redis.conf'), 'utf8').replace(/^dir .*$/m, '');
    writeFileSync(join(folder, 'redis.conf'), settings);
    const server = await startRedis([], join(folder, 'redis.conf'));
    const notes: string[] = [];
    const fleet = await openFleet({ redis: server.url, onNote: (note) => notes.push(note) });
    onTestFinished(() => fleet.close());
    const redis = new Redis(server.url);
    onTestFinished(() => redis.disconnect());
    await makeImages(join(folder, 'in'), 3);
    await fleet.submit({
      bundle: tinyBundle,
      inputs: [join(folder, 'in')],
      out: join(folder, 'out'),
      chunk: 1,
    });
    expect(notes).toEqual([]);
    const scaling = JSON.parse(JSON.stringify(resource('ScaledObject', 'worker').document));
    const lists: string[] = scaling.spec.triggers.map(
      (trigger: { metadata: { listName: string } }) => trigger.metadata.listName,
    );
    expect(lists).toEqual(['cyclegan:translate:wait', 'cyclegan:translate:active']);
    expect(await redis.llen(lists[0] ?? '')).toBe(3);
    expect(await redis.config('GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction']);
  });
});

test('the worker understands what the deployment tells it', async () => {
  const { spec } = JSON.parse(JSON.stringify(resource('Deployment', 'worker').document));
  const { code, stderr } = await cli([...spec.template.spec.containers[0].args, '--redis', 'nowhere']);
  // Its words are read before its bundle is, which is not at /bundle here.
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringMatching(/\/bundle\/manifest\.json: expected/),
  });
});
