/** The report of `cyclegan doctor`: facts of the machine as plain data, and the same in words. Installs nothing. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, totalmem } from 'node:os';
import type { MachineReport } from '@cyclegan/runtime-node';
import { toolVersion } from './version.js';

export interface Machine {
  /** Whether translating and training can run at all: on the CPU. */
  ok: boolean;
  versions: { cyclegan: string; node: string; onnxruntime: string | null; sharp: string | null };
  platform: string;
  cores: number;
  memoryGb: number;
  /** Graphics adapters that the system names, such as `NVIDIA H200`. */
  adapters: string[];
  /** Empty when onnxruntime or sharp cannot be loaded. */
  devices: MachineReport['devices'];
  formats: { reads: string[]; writes: string[] };
  /** The browser that the tests use. */
  browser: string | null;
  /** What is missing, and what adds it. */
  missing: { what: string; command: string }[];
  [fact: string]: unknown;
}

/** Takes some seconds: each device opens a session. */
export async function examineMachine(): Promise<Machine> {
  const { report, failure } = await probe();
  const browser = findBrowser();
  const missing: Machine['missing'] = [];
  if (failure !== undefined)
    missing.push({ what: `onnxruntime-node and sharp (${failure})`, command: 'npm install' });
  const cuda = report?.devices.find(({ device }) => device === 'cuda');
  if (process.platform === 'linux' && process.arch === 'x64' && cuda?.works === false) {
    const what = 'CUDA for onnxruntime, for an NVIDIA GPU with CUDA 12 and cuDNN 9';
    missing.push({ what, command: cudaCommand() });
  }
  const webgpu = report?.devices.find(({ device }) => device === 'webgpu');
  if (hasLinuxGpu() && webgpu?.works === false) {
    missing.push({
      what: "Vulkan for onnxruntime's WebGPU (the loader, and the driver of the GPU)",
      command: 'apt-get install libvulkan1 mesa-vulkan-drivers',
    });
  }
  if (browser === undefined) {
    missing.push({ what: 'a browser for the tests', command: 'npx playwright install --with-deps chromium' });
  }
  return {
    ok: report?.devices.some(({ device, works }) => device === 'cpu' && works) ?? false,
    versions: {
      cyclegan: toolVersion(),
      node: process.versions.node,
      onnxruntime: report?.onnxruntime ?? null,
      sharp: report?.sharp.sharp ?? null,
    },
    platform: `${process.platform} ${process.arch}`,
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    adapters: await listAdapters(),
    devices: report?.devices ?? [],
    formats: { reads: report?.sharp.reads ?? [], writes: report?.sharp.writes ?? [] },
    browser: browser ?? null,
    missing,
  };
}

export function describeMachine(machine: Machine): string {
  const { versions, devices, formats } = machine;
  const lines = [
    `cyclegan ${versions.cyclegan}, node ${versions.node}, onnxruntime ${versions.onnxruntime ?? 'missing'}, sharp ${versions.sharp ?? 'missing'}`,
    `${machine.platform}, ${machine.cores} cores, ${machine.memoryGb} GB of memory`,
    `graphics adapters: ${machine.adapters.join(', ') || 'none found'}`,
    `reads ${formats.reads.join(', ')}; writes ${formats.writes.join(', ')}`,
    `browser for the tests: ${machine.browser ?? 'none found'}`,
    '',
    'devices',
    ...devices.map(({ device, works, reason, loadMs }) => {
      const note = [loadMs === undefined ? undefined : `session in ${Math.round(loadMs)} ms`, reason];
      return `  ${device.padEnd(7)}${works ? 'works' : 'no'}: ${note.filter((part) => part !== undefined).join('; ')}`;
    }),
  ];
  if (machine.missing.length > 0) lines.push('', 'missing');
  for (const { what, command } of machine.missing) lines.push(`  ${what}; add it with`, `    ${command}`);
  return lines.join('\n');
}

/** Native libraries may be missing or of another platform; that is a finding, not a failure. */
async function probe(): Promise<{ report?: MachineReport; failure?: string }> {
  try {
    const { probeDevices } = await import('@cyclegan/runtime-node');
    return { report: await probeDevices() };
  } catch (error) {
    return { failure: error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error) };
  }
}

async function listAdapters(): Promise<string[]> {
  const { graphics } = await import('systeminformation');
  const { controllers } = await graphics();
  return controllers.map(({ vendor, model }) =>
    model.startsWith(vendor) ? model : `${vendor} ${model}`.trim(),
  );
}

function findBrowser(): string | undefined {
  const usual = [
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ];
  return [process.env['CHROME_PATH'], ...usual].find((path) => path !== undefined && existsSync(path));
}

function hasNvidiaGpu(): boolean {
  return process.platform === 'linux' && process.arch === 'x64' && existsSync('/dev/nvidiactl');
}

function hasLinuxGpu(): boolean {
  return hasNvidiaGpu() || (process.platform === 'linux' && existsSync('/dev/dri/renderD128'));
}

/** onnxruntime-node's own install script, called by its path: package managers differ in how they allow it. */
function cudaCommand(): string {
  const runtime = createRequire(import.meta.resolve('@cyclegan/runtime-node'));
  return `ONNXRUNTIME_NODE_INSTALL=cuda12 node ${runtime.resolve('onnxruntime-node/script/install.js')}`;
}
