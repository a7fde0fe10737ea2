/**
 * Turns at the GPU: runs of two WebGPU sessions at once crash the process on Linux (onnxruntime issue 32561), so
 * the workers of one process take turns over a word of shared memory. Within a worker runs are queued anyway.
 */

/** One 32-bit word: 0 while the GPU is free, else the number of the worker that has it. */
export type GpuTurn = Int32Array<SharedArrayBuffer>;

export function createGpuTurn(): GpuTurn {
  return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
}

/**
 * Does the work while no other worker does such work. Blocks the thread until its turn comes: for workers only.
 * @param worker a number above 0 of this worker alone
 */
export async function inTurn<T>(turn: GpuTurn, worker: number, work: () => Promise<T>): Promise<T> {
  for (;;) {
    const holder = Atomics.compareExchange(turn, 0, 0, worker);
    if (holder === 0) break;
    Atomics.wait(turn, 0, holder);
  }
  try {
    return await work();
  } finally {
    endTurn(turn, worker);
  }
}

/** Frees the GPU if `worker` has it; also for a worker that ended in its turn. */
export function endTurn(turn: GpuTurn, worker: number): void {
  if (Atomics.compareExchange(turn, 0, worker, 0) === worker) Atomics.notify(turn, 0);
}
