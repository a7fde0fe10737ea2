// A run folder as training leaves it, without training.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EvaluationLine, LogLine, MetricsLine } from '@cyclegan/train';
import sharp from 'sharp';

export const config = {
  format: 'cyclegan-run',
  version: 1,
  a: 'a',
  b: 'b',
  steps: 100,
  adam: { beta1: 0.5 },
};

/** What training logs, by default four steps a second. */
export function line(step: number, losses: Partial<MetricsLine['losses']> = {}): MetricsLine {
  const all = { D_A: 0.2, G_A: 0.4, cycle_A: 2, idt_A: 1, D_B: 0.3, G_B: 0.5, cycle_B: 3, idt_B: 1 };
  return { step, epoch: 1, lr: 2e-4, losses: { ...all, ...losses }, imagesPerSecond: 8, elapsed: step / 4 };
}

export function evaluation(step: number, values: EvaluationLine['eval'], best: boolean): EvaluationLine {
  return { step, eval: values, metric: 'psnr_AtoB', best };
}

export interface RunFolder {
  config?: object;
  lines?: readonly LogLine[];
  /** Steps of sample pictures. */
  samples?: readonly number[];
}

/** Makes the folder and returns its path. */
export async function runFolder(root: string, name: string, run: RunFolder): Promise<string> {
  const folder = join(root, name);
  mkdirSync(join(folder, 'samples'), { recursive: true });
  writeFileSync(join(folder, 'config.json'), JSON.stringify(run.config ?? config));
  writeFileSync(
    join(folder, 'metrics.jsonl'),
    (run.lines ?? []).map((one) => `${JSON.stringify(one)}\n`).join(''),
  );
  for (const step of run.samples ?? []) await grey(samplePath(folder, step), step % 256);
  return folder;
}

export function samplePath(folder: string, step: number): string {
  return join(folder, 'samples', `${String(step).padStart(6, '0')}.png`);
}

/** A sample picture of one grey. */
export async function grey(path: string, value: number): Promise<void> {
  const background = { r: value, g: value, b: value };
  await sharp({ create: { width: 60, height: 20, channels: 3, background } }).toFile(path);
}
