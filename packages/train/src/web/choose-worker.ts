/**
 * The worker to train in: the one that was asked for, or the faster of two that make the same losses of the same
 * steps. Sends no images.
 */
import { CycleganError, isCycleganError } from '@cyclegan/runtime-core';
import { webGpuAbsence } from './adapter.js';
import type { TrainerInfo, TriedWebDevice, WebDevice } from './options.js';
import type { Opened, OpenRequest, Trial } from './protocol.js';
import { startTrainerWorker, type TrainerWorker } from './trainer-worker.js';

/** How far losses may be from WebAssembly's, of their size: sound devices differ by a hundredth of it in a few steps. */
const TOLERANCE = 0.02;

export interface ChosenWorker extends Pick<TrainerInfo, 'tried'> {
  worker: TrainerWorker;
  opened: Opened;
}

/**
 * @param started told of each worker, so that it can be ended from outside
 * @throws CycleganError `usage` for options that cannot be meant, `device`
 */
export async function chooseWorker(
  device: WebDevice | 'auto',
  request: OpenRequest,
  started: (worker: TrainerWorker) => void,
): Promise<ChosenWorker> {
  const open = async (on: WebDevice) => {
    const worker = startTrainerWorker(on);
    started(worker);
    return { worker, opened: await worker.remote.open(request).catch((error) => discard(worker, error)) };
  };
  if (device === 'wasm') return { ...(await open(device)), tried: [{ device }] };
  const absence = await webGpuAbsence({ software: device === 'webgpu' });
  if (device === 'webgpu') {
    if (absence === undefined) return { ...(await open(device)), tried: [{ device }] };
    throw new CycleganError('device', `[train] webgpu: expected a GPU, got ${absence}. Train on wasm.`);
  }
  if (absence !== undefined) {
    return { ...(await open('wasm')), tried: [{ device: 'webgpu', reason: absence }, { device: 'wasm' }] };
  }
  const [wasm, webgpu] = await Promise.allSettled([open('wasm'), open('webgpu')]);
  if (wasm.status === 'rejected') {
    if (webgpu.status === 'fulfilled') discarded(webgpu.value.worker);
    throw wasm.reason;
  }
  if (webgpu.status === 'rejected') {
    return {
      ...wasm.value,
      tried: [{ device: 'webgpu', reason: reasonOf(webgpu.reason) }, { device: 'wasm' }],
    };
  }
  return faster(wasm.value, webgpu.value);
}

type Candidate = Omit<ChosenWorker, 'tried'>;

/** WebGPU, where it is sound and faster. */
async function faster(wasm: Candidate, webgpu: Candidate): Promise<ChosenWorker> {
  const known = await wasm.worker.remote.tryOut();
  const trial = await webgpu.worker.remote.tryOut().catch((error: unknown) => reasonOf(error));
  const refusal = typeof trial === 'string' ? trial : refusalOf(trial, known);
  const [taken, left] = refusal === undefined ? [webgpu, wasm] : [wasm, webgpu];
  discarded(left.worker);
  const tried: TriedWebDevice[] = [
    { device: 'webgpu', stepMs: typeof trial === 'string' ? undefined : trial.stepMs, reason: refusal },
    { device: 'wasm', stepMs: known.stepMs, reason: refusal === undefined ? 'webgpu is faster' : undefined },
  ];
  return { ...taken, tried };
}

function refusalOf(trial: Trial, known: Trial): string | undefined {
  const values = (of: Trial) => of.losses.flatMap((losses) => Object.values(losses));
  const expected = values(known);
  const off = values(trial).map((value, i) => Math.abs(value - (expected[i] ?? Number.NaN)));
  const agrees = off.every(
    (difference, i) => difference <= TOLERANCE * Math.max(1, Math.abs(expected[i] ?? 0)),
  );
  if (!agrees) return 'its losses are not those of wasm';
  return trial.stepMs < known.stepMs ? undefined : 'wasm is faster';
}

function discard(worker: TrainerWorker, error: unknown): never {
  discarded(worker);
  throw error;
}

function discarded(worker: TrainerWorker): void {
  worker.end(new CycleganError('aborted', `[train] ${worker.device}: another device was taken.`));
}

function reasonOf(error: unknown): string {
  return isCycleganError(error) || error instanceof Error ? error.message : String(error);
}
