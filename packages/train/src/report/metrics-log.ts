/**
 * `metrics.jsonl`: one line a report, written by the trainer and read by everything that draws curves.
 */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { CycleganError } from '@cyclegan/runtime-core';
import { z } from 'zod';

const number = z.number().nullish();

const lineSchema = z.object({
  /** Steps done, counted from 1. */
  step: z.number(),
  epoch: z.number(),
  lr: z.number(),
  /** By the reference's names; a value that is not finite is null in JSON. */
  losses: z.object({
    D_A: number,
    G_A: number,
    cycle_A: number,
    idt_A: number,
    D_B: number,
    G_B: number,
    cycle_B: number,
    idt_B: number,
  }),
  /** Images of both domains together. */
  imagesPerSecond: number,
  /** Seconds of training so far, pauses left out. */
  elapsed: z.number(),
});

export type MetricsLine = z.infer<typeof lineSchema>;

/**
 * Reads the log. A line that is no valid record (the last one, when the run was killed while writing) is left out.
 * @throws CycleganError `run` when there is no such file
 */
export async function readMetrics(path: string): Promise<MetricsLine[]> {
  const lines: MetricsLine[] = [];
  try {
    for await (const text of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
      const line = lineSchema.safeParse(parseJson(text));
      if (line.success) lines.push(line.data);
    }
  } catch (cause) {
    throw new CycleganError(
      'run',
      `[train] ${path}: expected the metrics of a run, got no file that can be read. Point at a run folder.`,
      { cause },
    );
  }
  return lines;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
