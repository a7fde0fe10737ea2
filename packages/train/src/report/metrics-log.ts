/**
 * `metrics.jsonl`: one line a report, written by the trainer and read by everything that draws curves. Two kinds of
 * line: what training gave, and what an evaluation on held-out images gave.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { CycleganError } from '@cyclegan/runtime-core';
import { z } from 'zod';

const number = z.number().nullish();

/** Steps done, counted from 1. */
const step = z.number();

const metricsSchema = z.object({
  step,
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
  /** Share of the time that the engine waited for images, 0 to 1. */
  dataWait: number,
});

const evaluationSchema = z.object({
  step,
  /** Metrics by name, such as `psnr_AtoB`; `_AtoB` and `_BtoA` tell the direction. */
  eval: z.record(z.string(), z.number().nullable()),
  /** The one that decides which is best. */
  metric: z.string().optional(),
  /** The best so far: the checkpoint of this step is kept as the best one. */
  best: z.boolean().optional(),
});

export type MetricsLine = z.infer<typeof metricsSchema>;
export type EvaluationLine = z.infer<typeof evaluationSchema>;
/** A line of the log; an evaluation is told by its `eval`. */
export type LogLine = MetricsLine | EvaluationLine;

/** Reads a log that grows: each call reads only what is new, unless the file was replaced. */
export interface LogReader {
  /**
   * All lines so far. A line that is no valid record (the last one, when the run was killed while writing) is left out.
   * @throws CycleganError `run` when there is no such file
   */
  read(): Promise<readonly LogLine[]>;
}

/** Nothing that training writes is longer, so that a foreign file takes no memory. */
const MAX_LINE = 1 << 20;
const CHUNK = 1 << 20;

/** @param path the log, which need not be there yet */
export function createLogReader(path: string): LogReader {
  let lines: LogLine[] = [];
  let inode = -1;
  let offset = 0;
  /** The beginning of a line whose end is not written yet. */
  let begun = '';
  let decoder = new TextDecoder();

  const take = (text: string) => {
    const ended = (begun + text).split('\n');
    begun = ended.pop() ?? '';
    if (begun.length > MAX_LINE) begun = '';
    lines.push(...ended.flatMap(parse));
  };
  const follow = async (file: FileHandle) => {
    const { ino, size } = await file.stat();
    if (ino !== inode || size < offset) {
      lines = [];
      begun = '';
      offset = 0;
      inode = ino;
      decoder = new TextDecoder();
    }
    const chunk = new Uint8Array(CHUNK);
    for (;;) {
      const { bytesRead } = await file.read(chunk, 0, CHUNK, offset);
      if (bytesRead === 0) break;
      offset += bytesRead;
      take(decoder.decode(chunk.subarray(0, bytesRead), { stream: true }));
    }
  };
  return {
    async read() {
      try {
        const file = await open(path);
        await follow(file).finally(() => file.close());
      } catch (cause) {
        throw new CycleganError(
          'run',
          `[train] ${path}: expected the metrics of a run, got no file that can be read. Point at a run folder.`,
          { cause },
        );
      }
      return [...lines, ...parse(begun)];
    },
  };
}

/** The whole log, both kinds of line in their order. @throws CycleganError as {@link LogReader.read} */
export function readLog(path: string): Promise<readonly LogLine[]> {
  return createLogReader(path).read();
}

/** What training gave, without the evaluations. @throws CycleganError as {@link LogReader.read} */
export async function readMetrics(path: string): Promise<MetricsLine[]> {
  return (await readLog(path)).filter(isMetrics);
}

export function isMetrics(line: LogLine): line is MetricsLine {
  return !isEvaluation(line);
}

export function isEvaluation(line: LogLine): line is EvaluationLine {
  return 'eval' in line;
}

function parse(text: string): LogLine[] {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    return [];
  }
  const schema = typeof data === 'object' && data && 'eval' in data ? evaluationSchema : metricsSchema;
  const line = schema.safeParse(data);
  return line.success ? [line.data] : [];
}
