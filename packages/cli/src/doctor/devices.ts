/** onnxruntime, sharp, and each device, on which a small model is opened and compared. */
import type { DeviceReport, MachineReport } from '@cyclegan/runtime-node';
import { askDevice } from './ask.js';
import { type Finding, messageOf, type Section } from './finding.js';

export interface Devices {
  section: Section;
  /** Of every device that could be asked for. */
  devices: DeviceReport[];
  /** Undefined where the native libraries could not be loaded. */
  machine: MachineReport | undefined;
}

export async function examineDevices(): Promise<Devices> {
  const title = 'translating';
  const tried = await listDevices();
  if (typeof tried === 'string') {
    const detail = `cannot be loaded: ${tried}`;
    const findings: Finding[] = [{ state: 'wrong', what: 'onnxruntime, sharp', detail, fix: 'npm install' }];
    return { section: { title, findings }, devices: [], machine: undefined };
  }
  const devices: DeviceReport[] = [];
  let machine: MachineReport | undefined;
  for (const device of tried) {
    const answer = await askDevice({ device });
    machine = answer.machine ?? machine;
    const [report] = answer.machine?.devices ?? [];
    devices.push(
      report ?? { device, listed: true, works: false, auto: false, reason: answer.error ?? 'no answer' },
    );
  }
  const findings = [...(machine ? libraries(machine) : []), ...(await Promise.all(devices.map(describe)))];
  return { section: { title, findings }, devices, machine };
}

/** Or why nothing can be translated here at all. */
async function listDevices(): Promise<readonly DeviceReport['device'][] | string> {
  try {
    return (await import('@cyclegan/runtime-node')).NODE_DEVICES;
  } catch (error) {
    return messageOf(error);
  }
}

function libraries({ onnxruntime, sharp }: MachineReport): Finding[] {
  return [
    { state: 'ok', what: 'onnxruntime', detail: onnxruntime },
    { state: 'ok', what: 'sharp', detail: `${sharp.sharp}, libvips ${sharp.vips}` },
    { state: 'ok', what: 'reads', detail: sharp.reads.join(', ') },
    { state: 'ok', what: 'writes', detail: sharp.writes.join(', ') },
  ];
}

async function describe(report: DeviceReport): Promise<Finding> {
  const { device, works, auto, reason, loadMs } = report;
  if (works) {
    const opened = `works, a session in ${Math.round(loadMs ?? 0)} ms`;
    return {
      state: 'ok',
      what: device,
      detail: reason && !auto ? `${opened}; not by auto: ${reason}` : opened,
    };
  }
  const finding: Finding = {
    state: 'absent',
    what: device,
    detail: reason?.replace(/; `cyclegan doctor`.*$/, '') ?? 'no',
  };
  // A device whose files are there, or the one that every machine has, should work.
  if (device === 'cpu') return { ...finding, state: 'wrong', fix: 'npm install' };
  const fix = await installCommand(report);
  return { ...finding, ...(auto && { state: 'wrong' as const }), ...(fix && { fix }) };
}

async function installCommand({ device, auto, reason }: DeviceReport): Promise<string | undefined> {
  if (process.platform !== 'linux') return undefined;
  if (device === 'webgpu') return auto ? 'apt-get install libvulkan1 mesa-vulkan-drivers' : undefined;
  if (process.arch !== 'x64') return undefined;
  if (reason?.includes('libnvinfer')) return 'apt-get install tensorrt';
  const { cudaInstallCommand } = await import('@cyclegan/train');
  return cudaInstallCommand();
}
