/** What the fleet's tests share: a fleet on a Redis of its own, small images, and what each should become. */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createTranslator, translateImage } from '@cyclegan/runtime-node';
import {
  type Fleet,
  type FleetWorkerOptions,
  openFleet,
  startFleetWorker,
} from '@cyclegan/runtime-node/fleet';
import { Redis } from 'ioredis';
import sharp from 'sharp';
import { expect, onTestFinished } from 'vitest';
import { type RedisServer, startRedis } from '../../../../test/support/redis.ts';
import { temporaryFolder, tinyBundle } from '../support.ts';

/** Which files a folder holds, hidden ones too, to its depths. */
export function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

/** `00.png` and so on, each of a colour of its own. */
export async function makeImages(folder: string, count: number, side = 32): Promise<string[]> {
  mkdirSync(folder, { recursive: true });
  const width = String(count - 1).length;
  const names = Array.from({ length: count }, (_, i) => `${String(i).padStart(width, '0')}.png`);
  for (const [i, name] of names.entries()) {
    const background = { r: i % 256, g: (i * 7) % 256, b: (i >> 8) * 60 };
    await sharp({ create: { width: side, height: side, channels: 3, background } }).toFile(
      join(folder, name),
    );
  }
  return names;
}

/** Every output stands, whole and with the bytes that a translation on this machine gives; and nothing else. */
export async function expectTranslated(input: string, out: string, names: readonly string[]): Promise<void> {
  expect(filesIn(out)).toEqual([...names].sort());
  const translator = await createTranslator(tinyBundle, { device: 'cpu', threads: 1 });
  try {
    for (const name of names) {
      const { data } = await translateImage(translator, join(input, name));
      expect(readFileSync(join(out, name)).equals(data), name).toBe(true);
    }
  } finally {
    await translator.dispose();
  }
}

export interface TestFleet {
  server: RedisServer;
  fleet: Fleet;
  redis: Redis;
  /** What fleet and workers told. */
  notes: string[];
  /** A folder with `in` of some images. */
  folder: string;
  input: string;
  out: string;
  /** A worker in this process, on one thread; stopped when the test ends. */
  work(options?: Partial<FleetWorkerOptions>): ReturnType<typeof startFleetWorker>;
}

export async function startFleet(settings: readonly string[] = []): Promise<TestFleet> {
  const server = await startRedis(settings);
  const notes: string[] = [];
  const onNote = (sentence: string) => void notes.push(sentence);
  const fleet = await openFleet({ redis: server.url, onNote });
  onTestFinished(() => fleet.close());
  const redis = new Redis(server.url);
  redis.on('error', () => {});
  onTestFinished(() => redis.disconnect());
  const folder = temporaryFolder();
  return {
    ...{ server, fleet, redis, notes, folder },
    input: join(folder, 'in'),
    out: join(folder, 'out'),
    async work(options = {}) {
      const common = {
        redis: server.url,
        bundle: tinyBundle,
        device: 'cpu',
        threads: 1,
        lockMs: 500,
      } as const;
      const worker = await startFleetWorker({ ...common, onNote, ...options });
      onTestFinished(async () => void (await worker.stop()));
      return worker;
    },
  };
}

/** Asks until it is so. */
export async function until(what: string, ask: () => Promise<boolean> | boolean): Promise<void> {
  for (let tries = 0; !(await ask()); tries += 1) {
    if (tries > 2000) throw new Error(`never came: ${what}`);
    await pause(20);
  }
}

/** Until nothing more will happen to the batch by itself. */
export async function ended(fleet: Fleet, batch: string) {
  await until(`the end of ${batch}`, async () => {
    const { state } = await fleet.batch(batch);
    return state !== 'running' && state !== 'submitting';
  });
  return fleet.batch(batch);
}
