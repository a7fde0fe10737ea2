/**
 * The connection to Redis: refused at once at the start, in a sentence; taken up again by itself later, with a note.
 * Also what of the server's settings would lose jobs. Knows no batches.
 */
import { CycleganError } from '@cyclegan/runtime-core';
import { Redis } from 'ioredis';

export const DEFAULT_REDIS = 'redis://127.0.0.1:6379';

const CONNECT_MS = 5000;
const LONGEST_PAUSE_MS = 5000;
/** Older ones lack commands that BullMQ uses. */
const OLDEST = [6, 2] as const;

export interface RedisOptions {
  /** `redis://` or `rediss://`, with user, password and database where there are any. */
  url: string;
  /** Told in a sentence when the connection is lost and when it is back, and what of the server is set dangerously. */
  onNote?: ((sentence: string) => void) | undefined;
}

/**
 * Connects, and looks at the server's settings.
 * @returns commands wait while the connection is away; `disconnect()` is the caller's
 * @throws CycleganError `usage` for what is no address, `unavailable` when nobody answers there or refuses
 */
export async function connectRedis({ url, onNote }: RedisOptions): Promise<Redis> {
  const where = address(url);
  let connected = false;
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: CONNECT_MS,
    // A worker waits for as long as it takes.
    maxRetriesPerRequest: null,
    retryStrategy: (times) =>
      connected ? Math.random() * Math.min(100 * 2 ** times, LONGEST_PAUSE_MS) + 50 : null,
  });
  let reason: unknown;
  redis.on('error', (error) => {
    reason = error;
  });
  try {
    await redis.connect();
    const sentences = await dangers(redis, where);
    connected = true;
    for (const sentence of sentences) onNote?.(sentence);
  } catch (cause) {
    redis.disconnect();
    if (cause instanceof CycleganError) throw cause;
    throw unreachable(where, reason ?? cause);
  }
  let away = false;
  redis.on('close', () => {
    if (redis.status === 'end' || away) return;
    away = true;
    onNote?.(`[fleet] ${where}: the connection to Redis is lost; it is tried again until it is back.`);
  });
  redis.on('ready', () => {
    if (away) onNote?.(`[fleet] ${where}: Redis is back.`);
    away = false;
  });
  return redis;
}

/** Without user and password, for messages. */
function address(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol !== 'redis:' && parsed?.protocol !== 'rediss:') {
    throw new CycleganError(
      'usage',
      '[fleet] redis: expected an address like redis://127.0.0.1:6379, got something else. Mend --redis or CYCLEGAN_REDIS.',
    );
  }
  return `${parsed.protocol}//${parsed.host}${parsed.pathname === '/' ? '' : parsed.pathname}`;
}

function unreachable(where: string, cause: unknown): CycleganError {
  const got = cause instanceof Error ? cause.message : String(cause);
  const fix = /NOAUTH|WRONGPASS|invalid password/i.test(got)
    ? 'Put user and password into the address.'
    : 'Start it (redis-server --appendonly yes), or mend --redis or CYCLEGAN_REDIS.';
  return new CycleganError(
    'unavailable',
    `[fleet] ${where}: expected a Redis that answers, got "${got}". ${fix}`,
    {
      cause,
    },
  );
}

/** Sentences for settings that lose jobs; a server that does not tell its settings is believed. */
async function dangers(redis: Redis, where: string): Promise<string[]> {
  const version = /^redis_version:(\d+)\.(\d+)/m.exec(await redis.info('server'));
  const [major, minor] = [Number(version?.[1] ?? OLDEST[0]), Number(version?.[2] ?? OLDEST[1])];
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
    throw new CycleganError(
      'unavailable',
      `[fleet] ${where}: expected Redis ${OLDEST.join('.')} or newer, got ${major}.${minor}. Update it.`,
    );
  }
  const policy = await setting(redis, 'maxmemory-policy');
  const appendonly = await setting(redis, 'appendonly');
  const sentences: string[] = [];
  if (policy !== undefined && policy !== 'noeviction') {
    sentences.push(
      `[fleet] ${where}: expected maxmemory-policy noeviction, got ${policy}: a full Redis would drop jobs. Set it in redis.conf.`,
    );
  }
  if (appendonly === 'no') {
    sentences.push(
      `[fleet] ${where}: expected appendonly yes, got no: a restart of Redis would lose jobs. Set it in redis.conf.`,
    );
  }
  return sentences;
}

async function setting(redis: Redis, name: string): Promise<string | undefined> {
  const answer = await redis.config('GET', name).catch(() => undefined);
  return Array.isArray(answer) && typeof answer[1] === 'string' ? answer[1] : undefined;
}
