/** The report of `cyclegan doctor`: facts of the machine as plain data, and the same in words. Installs nothing. */
import { existsSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import type { MachineReport } from '@cyclegan/runtime-node';
import type { DeviceChoice } from '@cyclegan/train';
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
  /** What `cyclegan train` could use, and a small step's time where there is a choice; null when it cannot train. */
  training: DeviceChoice | null;
  formats: { reads: string[]; writes: string[] };
  /** The browser that the tests use. */
  browser: string | null;
  /** What is missing, and what adds it. */
  missing: { what: string; command: string }[];
  [fact: string]: unknown;
}

/** Takes some seconds: each device opens a session. */
export async function examineMachine(): Promise<Machine> {
  const { report, training, cudaCommand, failure } = await probe();
  const browser = findBrowser();
  const missing: Machine['missing'] = [];
  if (failure !== undefined)
    missing.push({ what: `onnxruntime-node and sharp (${failure})`, command: 'npm install' });
  if (process.platform === 'linux' && process.arch === 'x64' && cudaCommand !== undefined) {
    const what = 'CUDA for onnxruntime, for an NVIDIA GPU with CUDA 12 and cuDNN 9';
    missing.push({ what, command: cudaCommand });
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
    training: training ?? null,
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
  if (machine.training) lines.push('', 'training', ...describeTraining(machine.training));
  if (machine.missing.length > 0) lines.push('', 'missing');
  for (const { what, command } of machine.missing) lines.push(`  ${what}; add it with`, `    ${command}`);
  return lines.join('\n');
}

function describeTraining({ device, tried }: DeviceChoice): string[] {
  const found = tried.map(({ device: name, stepMs, reason }) => {
    const works = stepMs === undefined ? 'the only one' : `${stepMs.toFixed(1)} ms for a small step`;
    return `  ${name.padEnd(7)}${reason === undefined ? `works: ${works}` : `no: ${reason}`}`;
  });
  return [...found, `  --device auto times the run's own step on each; here it would begin with ${device}`];
}

interface Probe {
  report?: MachineReport;
  training?: DeviceChoice;
  /** Where CUDA's files are missing. */
  cudaCommand?: string;
  failure?: string;
}

/** Native libraries may be missing or of another platform; that is a finding, not a failure. */
async function probe(): Promise<Probe> {
  try {
    const { probeDevices } = await import('@cyclegan/runtime-node');
    const { chooseTrainingDevice, cudaInstallCommand, deviceAbsence, practiceRun } = await import(
      '@cyclegan/train'
    );
    const report = await probeDevices();
    const training = await chooseTrainingDevice(practiceRun());
    return { report, training, ...(deviceAbsence('cuda') && { cudaCommand: cudaInstallCommand() }) };
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
