/**
 * Questions that load native code, each asked in a process of its own: what a driver prints does not get into the
 * report, and a provider that crashes is a finding.
 */
import { fork } from 'node:child_process';
import type { DeviceReport, MachineReport, TranslatorInfo } from '@cyclegan/runtime-node';

export interface DeviceQuestion {
  device: DeviceReport['device'];
  /** Left out: a model of one node. */
  bundle?: string;
  direction?: TranslatorInfo['direction'];
}

/** The machine's report with this device alone; of a bundle, what its translator says of itself. */
export interface DeviceAnswer {
  machine?: MachineReport;
  info?: Pick<TranslatorInfo, 'precision' | 'precisionReason' | 'selfCheckError' | 'loadMs' | 'fallbacks'>;
  /** Why there is no other answer. */
  error?: string;
}

/** A GPU that compiles its shaders for the first time takes a while. */
const LIMIT_MS = 180_000;

export function askDevice(question: DeviceQuestion): Promise<DeviceAnswer> {
  const child = fork(new URL('./answer.js', import.meta.url), [], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    execArgv: [],
  });
  let words = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-2000);
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
  return new Promise<DeviceAnswer>((resolve) => {
    child.once('message', (answer: DeviceAnswer) => resolve(answer));
    child.once('error', (error) => resolve({ error: error.message }));
    child.once('close', (code, signal) => {
      const said = words.trim().split('\n').at(-1);
      resolve({ error: `its process ended with ${signal ?? code}${said ? `: ${said}` : ''}` });
    });
    child.send(question);
  }).finally(() => clearTimeout(timer));
}
