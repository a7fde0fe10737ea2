/** A real redis-server of a test's own: a free loopback port, a folder that goes away, everything on disk. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createConnection, createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from './temporary-folder.ts';

export const hasRedis = spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status === 0;

if (!hasRedis) console.warn('SKIPPED tests of the fleet: no redis-server was found. Install redis-server.');

export interface RedisServer {
  url: string;
  /** @param signal SIGTERM writes all and ends, SIGKILL does not */
  stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** On the same port, with what the last one left on disk. */
  start(): Promise<void>;
}

/**
 * Starts one, stopped when the test that asked for it ends.
 * @param settings on its command line, which count more than those of `file`, a redis.conf
 */
export async function startRedis(settings: readonly string[] = [], file?: string): Promise<RedisServer> {
  const folder = temporaryFolder();
  const port = await freePort();
  let child: ChildProcess | undefined;
  const server: RedisServer = {
    url: `redis://127.0.0.1:${port}`,
    async start() {
      const own = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--appendonly', 'yes'];
      const all = [...(file ? [file] : []), ...own, '--save', '', ...settings];
      child = spawn('redis-server', all, { stdio: 'ignore' });
      for (let tries = 0; !(await accepts(port)); tries += 1) {
        if (tries > 200) throw new Error('redis-server did not start');
        await pause(50);
      }
    },
    async stop(signal) {
      const ending = child;
      child = undefined;
      if (!ending || ending.exitCode !== null || ending.signalCode !== null) return;
      ending.kill(signal);
      await once(ending, 'exit');
    },
  };
  await server.start();
  onTestFinished(() => server.stop('SIGKILL'));
  return server;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Whether somebody answers at a port of this machine. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
