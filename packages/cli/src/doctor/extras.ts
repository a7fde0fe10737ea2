/** What some uses need besides: ffmpeg, the packages of server and fleet, Redis, and the tests' browser. */
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Finding, messageOf, type Section } from './finding.js';

export async function examineVideo(): Promise<Section> {
  const { ffmpegInstallCommand, probeVideoTools } = await import('@cyclegan/runtime-node');
  const fix = ffmpegInstallCommand();
  try {
    const { ffmpeg, missing } = await probeVideoTools();
    const finding: Finding = { state: 'ok', what: 'ffmpeg', detail: ffmpeg };
    if (missing.length === 0) return { title: 'video', findings: [finding] };
    const detail = `${ffmpeg}, built without ${missing.join(', ')}: videos of those kinds cannot be written`;
    return { title: 'video', findings: [{ ...finding, state: 'wrong', detail, fix }] };
  } catch (error) {
    const finding: Finding = { state: 'absent', what: 'ffmpeg', detail: messageOf(error), fix };
    return { title: 'video', findings: [finding] };
  }
}

/** @param redis undefined: not asked for */
export async function examineServices(redis: string | undefined): Promise<Section> {
  const findings = [
    await loads('server', 'fastify prom-client', () => import('@cyclegan/runtime-node/server')),
    await loads('fleet', 'bullmq ioredis @aws-sdk/client-s3', () => import('@cyclegan/runtime-node/fleet')),
    await examineRedis(redis),
  ];
  return { title: 'server and fleet', findings };
}

/** A package that is optional is there when what needs it can be loaded. */
async function loads(what: string, packages: string, load: () => Promise<unknown>): Promise<Finding> {
  try {
    await load();
    return { state: 'ok', what, detail: 'its packages are there' };
  } catch (error) {
    return { state: 'absent', what, detail: messageOf(error), fix: `npm install ${packages}` };
  }
}

async function examineRedis(url: string | undefined): Promise<Finding> {
  const what = 'redis';
  if (url === undefined) {
    return { state: 'absent', what, detail: 'not asked: name it with --redis or CYCLEGAN_REDIS' };
  }
  const notes: string[] = [];
  try {
    const { connectRedis } = await import('@cyclegan/runtime-node/fleet');
    const redis = await connectRedis({ url, onNote: (note) => notes.push(note) });
    redis.disconnect();
  } catch (error) {
    return { state: 'wrong', what, detail: messageOf(error), fix: 'redis-server --appendonly yes' };
  }
  if (notes.length === 0) return { state: 'ok', what, detail: 'answers' };
  const fix = 'redis-cli config set maxmemory-policy noeviction && redis-cli config set appendonly yes';
  return { state: 'wrong', what, detail: notes.join(' '), fix };
}

export function examineTests(): Section {
  const what = 'browser';
  const found = findBrowser();
  const finding: Finding = found
    ? { state: 'ok', what, detail: found }
    : {
        ...{ state: 'absent', what, detail: 'none, so that tests of the browser are skipped' },
        fix: 'npx playwright install --with-deps chromium',
      };
  return { title: 'tests', findings: [finding] };
}

function findBrowser(): string | undefined {
  const usual = [
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ];
  return [process.env['CHROME_PATH'], ...usual, ...playwrightBrowsers()].find(
    (path) => path !== undefined && existsSync(path),
  );
}

/** Where `npx playwright install chromium` puts its own, the newest first. */
function playwrightBrowsers(): string[] {
  const caches: Partial<Record<NodeJS.Platform, string>> = {
    darwin: 'Library/Caches',
    win32: 'AppData/Local',
  };
  const cache = join(homedir(), caches[process.platform] ?? '.cache', 'ms-playwright');
  const folder = process.env['PLAYWRIGHT_BROWSERS_PATH'] ?? cache;
  if (!existsSync(folder)) return [];
  const programs: Partial<Record<NodeJS.Platform, string[]>> = {
    darwin: ['chrome-mac/Chromium.app/Contents/MacOS/Chromium'],
    win32: ['chrome-win/chrome.exe', 'chrome-win64/chrome.exe'],
  };
  const linux = ['chrome-linux/chrome', 'chrome-linux64/chrome'];
  const versions = readdirSync(folder).filter((name) => /^chromium-\d+$/.test(name));
  return versions
    .sort((a, b) => Number(b.slice(9)) - Number(a.slice(9)))
    .flatMap((name) => (programs[process.platform] ?? linux).map((path) => join(folder, name, path)));
}
