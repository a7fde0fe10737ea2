/**
 * Turns at native code, over a word of shared memory. Two things end the process otherwise: runs of two WebGPU
 * sessions at once (onnxruntime issue 32561, on Linux), and a worker that is ended, as `process.exit()` ends it,
 * while it is inside onnxruntime-node.
 */

/** One 32-bit word: 0 while nobody is inside, else the number of who is. */
export type Turn = Int32Array<SharedArrayBuffer>;

/** Workers are numbered from 1; this is the program itself. */
const PROGRAM = -1;
/** So that a turn that nobody gives back cannot keep a process for ever. */
const LONGEST_WAIT_MS = 60_000;

export function createTurn(): Turn {
  return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
}

/**
 * Does the work while nobody else has the turn. Blocks the thread until then: for workers only.
 * @param worker a number above 0 of this worker alone
 */
export async function inTurn<T>(turn: Turn, worker: number, work: () => Promise<T>): Promise<T> {
  takeTurn(turn, worker);
  try {
    return await work();
  } finally {
    endTurn(turn, worker);
  }
}

function takeTurn(turn: Turn, who: number, longestWaitMs = Number.POSITIVE_INFINITY): void {
  for (;;) {
    const holder = Atomics.compareExchange(turn, 0, 0, who);
    if (holder === 0 || Atomics.wait(turn, 0, holder, longestWaitMs) === 'timed-out') return;
  }
}

/** Gives the turn back if `worker` has it; also for a worker that ended in its turn. */
export function endTurn(turn: Turn, worker: number): void {
  if (Atomics.compareExchange(turn, 0, worker, 0) === worker) Atomics.notify(turn, 0);
}

const guarded = new Set<{ turn: Turn }>();

/**
 * Lets the process exit at any time while a worker uses this turn: its exit waits for the call that is under way,
 * and no further one begins.
 * @returns to be called when the worker has ended
 */
export function guardExit(turn: Turn): () => void {
  if (guarded.size === 0) process.on('exit', takeAll);
  const worker = { turn };
  guarded.add(worker);
  return () => {
    guarded.delete(worker);
    if (guarded.size === 0) process.off('exit', takeAll);
  };
}

function takeAll(): void {
  const turns = new Set(Array.from(guarded, ({ turn }) => turn));
  for (const turn of turns) takeTurn(turn, PROGRAM, LONGEST_WAIT_MS);
}
