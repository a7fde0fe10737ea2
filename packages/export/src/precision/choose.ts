/**
 * Which convolutions may be on integers: each is tried alone, then those that harm most for the work they save are
 * taken back until the quality is enough. Knows no ranges and runs nothing itself.
 */
import type { Convolution } from './convolutions.js';
import type { Quality } from './quality.js';

export interface ChooseOptions<T> {
  /** By what they are, with their multiplications. */
  candidates: ReadonlyMap<Convolution, number>;
  /** Measures the graph with these on integers, and those alone. */
  tryOut(convolutions: readonly Convolution[]): Promise<T>;
  psnrTarget: number;
  /** Called before every trial. */
  onTrial(what: string): Promise<void>;
}

export interface Choice<T> {
  /** The trial that was good enough; null where none was but to leave all of them in float32. */
  best: T | null;
  chosen: ReadonlySet<Convolution>;
  /** With each of the candidates alone on integers. */
  alone: ReadonlyMap<Convolution, Quality>;
}

/** @returns the largest choice that reaches the target, as far as errors of several convolutions add up */
export async function choose<T extends { quality: Quality }>(options: ChooseOptions<T>): Promise<Choice<T>> {
  const { candidates, tryOut, psnrTarget, onTrial } = options;
  const alone = new Map<Convolution, Quality>();
  for (const convolution of candidates.keys()) {
    await onTrial(`sensitivity of ${convolution.node.name}`);
    alone.set(convolution, (await tryOut([convolution])).quality);
  }
  const harm = (convolution: Convolution): number =>
    10 ** (-(alone.get(convolution)?.psnr ?? 0) / 10) / (candidates.get(convolution) ?? 1);
  const mildestFirst = [...candidates.keys()].sort((a, b) => harm(a) - harm(b));

  // Halved over and over between a count that is known to be good enough and one that is known not to be.
  let best: T | null = null;
  let [good, bad] = [0, mildestFirst.length + 1];
  for (let count = mildestFirst.length; count > good; count = Math.floor((good + bad) / 2)) {
    await onTrial(`quality with ${count} of ${mildestFirst.length} convolutions`);
    const trial = await tryOut(mildestFirst.slice(0, count));
    if (trial.quality.psnr >= psnrTarget) [best, good] = [trial, count];
    else bad = count;
  }
  return { best, chosen: new Set(mildestFirst.slice(0, good)), alone };
}
