/** `cyclegan submit`, `worker` and `fleet` as a shell sees them: processes that are killed, and a Redis that is too. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { hasRedis } from '../../../test/support/redis.ts';
import {
  ended,
  expectTranslated,
  filesIn,
  makeImages,
  startFleet,
  until,
} from '../../runtime-node/test/fleet/support.ts';
import { tinyBundle } from '../../runtime-node/test/support.ts';
import { cli, lastJson, program } from './support/run-cli.ts';

/** A worker of its own process; resolves when it takes chunks. */
async function startWorker(redis: string, more: readonly string[] = []): Promise<ChildProcess> {
  const common = ['--redis', redis, '--device', 'cpu', '--threads', '1', '--lock', '1', '--json'];
  const child = spawn(process.execPath, [program, 'worker', tinyBundle, ...common, ...more], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let told = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    told += text;
  });
  await until('a worker', () => {
    if (child.exitCode !== null) throw new Error(`a worker ended: ${told}`);
    return told.includes('takes chunks');
  });
  return child;
}

/** As Kubernetes does. @returns its exit code and what it printed */
async function terminate(child: ChildProcess): Promise<{ code: unknown; data: Record<string, unknown> }> {
  let stdout = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.kill('SIGTERM');
  const [code] = await once(child, 'close');
  return { code, data: lastJson(stdout) };
}

describe.skipIf(!hasRedis)('fleet', () => {
  test('three workers, one killed, Redis killed too: of 500 images nothing is lost, nothing doubled', async () => {
    const { server, fleet, redis, input, out } = await startFleet();
    const names = await makeImages(input, 500);
    const to = ['--redis', server.url, '--out', out, '--chunk', '10', '--json'];
    const submitted = await cli(['submit', tinyBundle, input, ...to]);
    expect(submitted).toMatchObject({ code: 0 });
    const batch = String(lastJson(submitted.stdout)['batch']);
    expect(lastJson(submitted.stdout)).toEqual({ batch, name: 'in', images: 500, chunks: 50, added: 50 });

    const workers = await Promise.all([1, 2, 3].map(() => startWorker(server.url, ['--concurrency', '2'])));
    const [first] = workers;
    const done = async () => (await fleet.batch(batch)).done;
    await until('a tenth', async () => (await done()) >= 50);
    first?.kill('SIGKILL');
    await until('a third', async () => (await done()) >= 160);
    await server.stop('SIGKILL');
    await pause(300);
    await server.start();
    expect(await done()).toBeLessThan(500);

    expect(await ended(fleet, batch)).toMatchObject({
      state: 'done',
      images: 500,
      done: 500,
      failed: 0,
      dead: 0,
    });
    expect((await fleet.status()).jobs).toEqual({ waiting: 0, active: 0, delayed: 0, dead: 0 });
    expect(await redis.hlen(`cyclegan-fleet:translate:batch:${batch}:begun`)).toBe(0);
    for (const worker of workers.slice(1)) {
      const { code, data } = await terminate(worker);
      expect(code).toBe(0);
      expect(data).toMatchObject({ device: 'cpu', failed: 0 });
    }
    await expectTranslated(input, out, names);
    const again = await cli(['submit', tinyBundle, input, ...to, '--wait']);
    expect(again).toMatchObject({ code: 0 });
    expect(lastJson(again.stdout)).toMatchObject({ batch, added: 0, state: 'done', done: 500 });
  });

  test('an image over which workers die is given up, and takes no other along', async () => {
    const { server, fleet, redis, input, out } = await startFleet();
    const names = await makeImages(input, 8);
    // So large that there is time to kill the worker over it.
    await makeImages(join(input, 'poison'), 1, 3000);
    const { batch } = await fleet.submit({ bundle: tinyBundle, inputs: [input], out });
    const begun = `cyclegan-fleet:translate:batch:${batch}:begun`;
    for (let death = 1; death <= 3; death += 1) {
      const worker = await startWorker(server.url);
      await until('the poison in hand', async () => (await redis.hget(begun, '8')) === String(death));
      await until('the others done', async () => (await fleet.batch(batch)).done === 8);
      worker.kill('SIGKILL');
      await once(worker, 'close');
    }
    const last = await startWorker(server.url);
    expect(await ended(fleet, batch)).toMatchObject({ state: 'failed', done: 8, failed: 1, dead: 0 });
    await expectTranslated(input, out, names);

    const failed = await cli(['fleet', 'failed', batch, '--redis', server.url]);
    expect(failed.code).toBe(0);
    expect(failed.stdout).toMatch(/^poison\/0\.png {2}.*3 ended without a word/);
    const retried = await cli(['fleet', 'retry', 'in', '--redis', server.url, '--json']);
    expect(lastJson(retried.stdout)).toEqual({ batch, images: 1, chunks: 0 });
    await until('its success', async () => (await fleet.batch(batch)).state === 'done');
    expect(filesIn(out)).toHaveLength(9);
    expect((await terminate(last)).data).toMatchObject({ translated: 1, failed: 1 });
  });

  test('submit --wait shows progress and ends with 1 where images failed', async () => {
    const { server, input, out } = await startFleet();
    await makeImages(input, 2);
    writeFileSync(join(input, 'broken.jpg'), 'no picture');
    await startWorker(server.url);
    const { code, stdout, stderr } = await cli([
      ...[
        'submit',
        tinyBundle,
        input,
        '--out',
        out,
        '--redis',
        server.url,
        '--batch-name',
        'holiday',
        '--wait',
      ],
    ]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^[0-9a-f]{16} {2}failed {5}2\/3 \(66 %\) {2}holiday, AtoB fp32, .*1 failed\n$/);
    expect(stderr).toMatch(/translate 3\/3/);
    expect(stderr).toMatch(/cyclegan fleet failed [0-9a-f]{16} says what and why/);
    const status = await cli(['fleet', 'status', '--redis', server.url]);
    expect(status.stdout).toMatch(
      /^queue translate: 0 chunks waiting, 0 in hand, 0 to be tried later, 0 given up\n/,
    );
    expect(status.stdout).toMatch(/^1 worker alive\n {2}\S+ \d+ {2}\S+ on cpu {2}\d+ done/m);
    const one = await cli(['fleet', 'status', 'holiday', '--redis', server.url, '--json']);
    expect(lastJson(one.stdout)).toMatchObject({ name: 'holiday', state: 'failed', images: 3 });
    const cancelled = await cli(['fleet', 'cancel', 'holiday', '--redis', server.url, '--json']);
    expect(lastJson(cancelled.stdout)).toMatchObject({ removed: 0 });
  });
});

test.skipIf(!hasRedis)('a worker that is stopped while Redis is away does not wait for it', async () => {
  const { server } = await startFleet();
  const worker = await startWorker(server.url);
  await server.stop('SIGKILL');
  expect(await terminate(worker)).toMatchObject({ code: 1, data: { translated: 0 } });
});

test('wrong words are answered in a sentence', async () => {
  const nothing = await cli(['fleet', 'cancel']);
  expect(nothing).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('expected fleet cancel with a batch'),
  });
  const unknown = await cli(['fleet', 'stop', 'x']);
  expect(unknown).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/one of "status", .*got "stop"/),
  });
  const redis = await cli(['worker', tinyBundle, '--redis', 'nowhere', '--json']);
  expect(redis.code).toBe(2);
  expect(lastJson(redis.stdout)).toMatchObject({ error: { code: 'usage' } });
});
