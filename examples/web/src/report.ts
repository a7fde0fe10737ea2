/** What the page says: progress, facts of the run, and what went wrong. Words only; decides nothing. */
import { isCycleganError, type Progress, type TranslatorInfo } from '@cyclegan/runtime-web';
import { find } from './dom.js';

const status = find('#status', HTMLElement);
const alert = find('#error', HTMLElement);
const progress = find('#progress', HTMLProgressElement);
const devices: Record<TranslatorInfo['device'], string> = {
  webgpu: 'WebGPU',
  wasm: 'WASM',
  cpu: 'CPU',
  cuda: 'CUDA',
  tensorrt: 'TensorRT',
};

/** @param words empty: nothing is going on */
export function say(words: string): void {
  status.textContent = words;
  alert.textContent = '';
}

/** One sentence; an error of ours without the package's name in front. */
export function sayError(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  status.textContent = '';
  progress.value = 0;
  alert.textContent = isCycleganError(error) ? upperFirst(message.replace(/^\[[\w-]+\] /, '')) : message;
}

export function sayProgress({ stage, done, total }: Progress): void {
  if (stage === 'download') {
    progress.value = done < total ? done / total : 0;
    // In tens: each change is read out where a screen reader listens.
    say(`Loading the model · ${10 * Math.floor((10 * done) / total)} %`);
  } else if (stage === 'session') {
    say('Starting the model');
  } else if (stage === 'check') {
    say('Checking the model');
  } else if (total > 1) {
    progress.value = done < total ? done / total : 0;
    say(`Translating · tile ${done} of ${total}`);
  }
}

export function sayModel({ manifest, device, threads, fallbacks }: TranslatorInfo): void {
  find('#model', HTMLElement).textContent = manifest.name;
  find('#device', HTMLElement).textContent = devices[device] + (threads > 1 ? ` · ${threads} threads` : '');
  find('#note', HTMLElement).textContent = fallbacks
    .map(
      (passed) => `${devices[passed.device]} was passed over: ${passed.reason.replace(/^\[[\w-]+\] /, '')}`,
    )
    .join(' ');
}

interface Size {
  width: number;
  height: number;
}

export function sayResult(milliseconds: number, size: Size, original: Size): void {
  find('#time', HTMLElement).textContent =
    milliseconds < 9999.5 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
  const scaled = size.width !== original.width;
  const element = find('#size', HTMLElement);
  element.textContent = `${size.width} × ${size.height}`;
  element.title = scaled ? `scaled from ${original.width} × ${original.height}` : '';
}

function upperFirst(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
