/** `--device auto`: the fastest device for this very run, by a short trial on each that may be there. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { throwIfAborted } from '@cyclegan/runtime-core';
import type { EngineOptions } from '../../engine.js';
import { deviceAbsence } from './device-absence.js';
import type { ProbeAnswer } from './probe-child.js';

type TrainingDevice = EngineOptions['device'];

/** The run whose device is wanted. */
export interface ChooseDeviceOptions extends Omit<EngineOptions, 'device'> {
  /** Devices to consider; all by default. One that is named here is tried wherever it might work. */
  devices?: readonly TrainingDevice[] | undefined;
  /** Longest trial of one device, its session included; 60 s by default. */
  limitMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** What became of one device. */
export interface TriedDevice {
  device: TrainingDevice;
  /** Milliseconds of one step; absent where it did not work or was not tried. */
  stepMs?: number;
  /** Why not. */
  reason?: string;
}

/** The device, and why. */
export interface DeviceChoice {
  device: TrainingDevice;
  /** One sentence for people: `cuda: …; webgpu: 310 ms a step; cpu: 95 ms a step: training on cpu.` */
  reason: string;
  /** In the order tried. */
  tried: TriedDevice[];
}

const everyDevice: readonly TrainingDevice[] = ['cuda', 'webgpu', 'cpu'];

/**
 * Chooses by measuring the run's own step, each device in a process of its own with a time limit. A device that
 * plainly is not there costs nothing, and where one alone is left it is taken without a trial.
 * @throws CycleganError `aborted` when the signal fires
 */
export async function chooseTrainingDevice(options: ChooseDeviceOptions): Promise<DeviceChoice> {
  const { devices, limitMs = 60_000, signal, onNote, ...run } = options;
  const tried: TriedDevice[] = (devices ?? everyDevice).map((device) => {
    // Who names WebGPU may mean a software adapter.
    const absent = devices && device === 'webgpu' ? undefined : deviceAbsence(device);
    return absent ? { device, reason: absent.reason } : { device };
  });
  const candidates = tried.filter(({ reason }) => reason === undefined);
  if (candidates.length > 1) {
    onNote?.(`Trying a step on ${candidates.map(({ device }) => device).join(', ')}.`);
    for (const candidate of candidates) {
      throwIfAborted(signal, '[train] device');
      Object.assign(candidate, await tryDevice({ ...run, device: candidate.device }, limitMs, signal));
    }
    throwIfAborted(signal, '[train] device');
  }
  const timed = candidates.filter(({ stepMs }) => stepMs !== undefined);
  const fastest = timed.toSorted((x, y) => (x.stepMs ?? 0) - (y.stepMs ?? 0))[0];
  const device = fastest?.device ?? (candidates.length === 1 ? candidates[0]?.device : undefined) ?? 'cpu';
  const findings = tried.map(({ device: name, stepMs, reason }) =>
    stepMs === undefined
      ? `${name}: ${reason ?? 'the only one left'}`
      : `${name}: ${rounded(stepMs)} ms a step`,
  );
  return { device, reason: `${findings.join('; ')}: training on ${device}.`, tried };
}

function rounded(ms: number): string {
  return ms < 10 ? ms.toFixed(1) : ms.toFixed(0);
}

function tryDevice(
  options: EngineOptions,
  limitMs: number,
  signal: AbortSignal | undefined,
): Promise<ProbeAnswer> {
  const path = fileURLToPath(new URL('./probe-child.js', import.meta.url));
  const child = fork(path, {
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  return new Promise((resolve) => {
    const end = (answer: ProbeAnswer) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
      // A provider that hangs listens to nothing else.
      child.kill('SIGKILL');
      resolve(answer);
    };
    const stop = () => end({ reason: 'stopped on request' });
    const timer = setTimeout(() => end({ reason: `no answer in ${limitMs / 1000} s` }), limitMs);
    signal?.addEventListener('abort', stop);
    child.on('message', (answer: ProbeAnswer) => end(answer));
    child.on('error', ({ message }) => end({ reason: message }));
    child.on('exit', (code, by) => end({ reason: `its process ended by ${by ?? `code ${code}`}` }));
    child.send(options);
  });
}
