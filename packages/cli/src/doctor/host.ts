/** The machine below the programs: processor, memory, files, and what a container allows of them. */
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rmdir, statfs } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { type Finding, messageOf, type Section } from './finding.js';

const GIB = 2 ** 30;
const LEAST_MEMORY = GIB;
const LEAST_DISK = GIB;
/** A server with a thousand idle connections has files open besides. */
const LEAST_FILES = 4096;

export async function examineHost(): Promise<Section> {
  return {
    title: 'machine',
    findings: [system(), processor(), memory(), await temporaryFiles(), ...openFiles(), await adapters()],
  };
}

function system(): Finding {
  const inside = container();
  const detail = `${process.platform} ${process.arch}${inside ? `, in a container (${inside})` : ''}`;
  return { state: 'ok', what: 'system', detail };
}

/** What kind of container this is, told from the files that each leaves; undefined outside. */
export function container(): string | undefined {
  if (process.env['KUBERNETES_SERVICE_HOST']) return 'Kubernetes';
  if (existsSync('/.dockerenv')) return 'Docker';
  return existsSync('/run/.containerenv') ? 'Podman' : undefined;
}

function processor(): Finding {
  const threads = availableParallelism();
  const detail = `${cpus()[0]?.model.trim() ?? 'unknown'}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
  const quota = processorQuota();
  const what = 'processor';
  if (quota === undefined || quota > threads - 0.5) return { state: 'ok', what, detail };
  return {
    state: 'wrong',
    what,
    detail: `${detail}, of which the container may use ${quota.toFixed(1)}: more threads than that wait for each other`,
    fix: `cyclegan translate … --threads ${Math.max(1, Math.floor(quota))}`,
  };
}

/** Processors that the control group may use, on Linux; undefined where there is no limit. */
function processorQuota(): number | undefined {
  const [quota, period] = [
    ...(readWords('/sys/fs/cgroup/cpu.max') ?? [
      ...(readWords('/sys/fs/cgroup/cpu/cpu.cfs_quota_us') ?? []),
      ...(readWords('/sys/fs/cgroup/cpu/cpu.cfs_period_us') ?? []),
    ]),
  ].map(Number);
  return quota !== undefined && period !== undefined && quota > 0 && period > 0 ? quota / period : undefined;
}

function readWords(path: string): string[] | undefined {
  try {
    return readFileSync(path, 'utf8').trim().split(/\s+/);
  } catch {
    return undefined;
  }
}

function memory(): Finding {
  const limit = process.constrainedMemory();
  const total = limit > 0 && limit < totalmem() ? limit : totalmem();
  const free = process.availableMemory();
  const of = total === limit ? 'that the container may use' : '';
  const finding: Finding = {
    state: 'ok',
    what: 'memory',
    detail: `${gib(free)} free of ${gib(total)} ${of}`.trim(),
  };
  if (free >= LEAST_MEMORY) return finding;
  return { ...finding, state: 'wrong', fix: 'cyclegan translate … --memory 256M' };
}

const gib = (bytes: number) => `${(bytes / GIB).toFixed(1)} GiB`;

async function temporaryFiles(): Promise<Finding> {
  const what = 'temporary files';
  const folder = tmpdir();
  const fix = 'export TMPDIR=/a/folder/with/room';
  try {
    await rmdir(await mkdtemp(join(folder, 'cyclegan-doctor-')));
    const { bavail, bsize } = await statfs(folder);
    const detail = `${folder}, ${gib(bavail * bsize)} free`;
    return bavail * bsize >= LEAST_DISK
      ? { state: 'ok', what, detail }
      : { state: 'wrong', what, detail, fix };
  } catch (error) {
    return { state: 'wrong', what, detail: `${folder} cannot be written: ${messageOf(error)}`, fix };
  }
}

/** Of this process, where the system tells: on Linux. */
function openFiles(): Finding[] {
  const line = readWords('/proc/self/limits')?.join(' ');
  const limit = Number(/Max open files (\d+)/.exec(line ?? '')?.[1]);
  if (!(limit > 0)) return [];
  const finding: Finding = { state: 'ok', what: 'open files', detail: `at most ${limit}` };
  const detail = `at most ${limit}, which a server with many connections runs out of`;
  return [limit >= LEAST_FILES ? finding : { ...finding, state: 'wrong', detail, fix: 'ulimit -n 65536' }];
}

async function adapters(): Promise<Finding> {
  const { graphics } = await import('systeminformation');
  const { controllers } = await graphics();
  const names = controllers.map(({ vendor, model }) =>
    model.startsWith(vendor) ? model : `${vendor} ${model}`.trim(),
  );
  const none = container() ? 'none; `docker run --gpus all` gives a container those of NVIDIA' : 'none';
  const state = names.length > 0 ? 'ok' : 'absent';
  return { state, what: 'graphics adapters', detail: names.join(', ') || none };
}
