/**
 * A real S3-compatible server of a test's own, over a folder: versitygw, where scripts/test-tools.mjs could build it.
 * A bucket is a folder, an object a file in it.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { s3Server } from '../../scripts/test-tools.mjs';
import { accepts, freePort } from './redis.ts';
import { temporaryFolder } from './temporary-folder.ts';

export const hasS3 = spawnSync(s3Server, ['--version'], { stdio: 'ignore' }).status === 0;

if (!hasS3) console.warn('SKIPPED tests of S3: no versitygw was found. Install Go, and run npm test again.');

export interface S3Server {
  endpoint: string;
  /** Where its buckets are on disk. */
  folder: string;
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** Starts one, and tells the client's environment its credentials for as long as the test goes. */
export async function startS3(buckets: readonly string[]): Promise<S3Server> {
  const folder = temporaryFolder();
  for (const bucket of buckets) mkdirSync(join(folder, bucket));
  const port = await freePort();
  const credentials = {
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test-secret',
    AWS_REGION: 'us-east-1',
  };
  Object.assign(process.env, credentials);
  let child: ReturnType<typeof spawn> | undefined;
  const server: S3Server = {
    endpoint: `http://127.0.0.1:${port}`,
    folder,
    async start() {
      const given = ['--access', 'test', '--secret', 'test-secret', '--port', `127.0.0.1:${port}`, '--quiet'];
      child = spawn(s3Server, [...given, 'posix', folder], { stdio: 'ignore' });
      for (let tries = 0; !(await accepts(port)); tries += 1) {
        if (tries > 200) throw new Error('versitygw did not start');
        await pause(50);
      }
    },
    async stop() {
      const ending = child;
      child = undefined;
      if (!ending) return;
      ending.kill('SIGKILL');
      await once(ending, 'exit');
    },
  };
  await server.start();
  onTestFinished(async () => {
    await server.stop();
    for (const name of Object.keys(credentials)) delete process.env[name];
  });
  return server;
}
