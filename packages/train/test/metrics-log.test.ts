// The log of a run: both kinds of line, half-written ones, and a file that grows or is replaced while it is read.
import { appendFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readLog, readMetrics } from '../dist/report/index.js';
import { createLogReader } from '../dist/report/metrics-log.js';
import { evaluation, line } from './support/run-folder.ts';
import { temporaryFolder } from './temp-folder.js';

const root = temporaryFolder();
const write = (name: string, text: string) => {
  const path = join(root, name);
  writeFileSync(path, text);
  return path;
};
const text = (...lines: object[]) => lines.map((one) => `${JSON.stringify(one)}\n`).join('');

describe('readMetrics and readLog', () => {
  it('tell training from evaluation, and leave out what is no record', async () => {
    const [training, measured] = [
      line(10, { G_A: null }),
      evaluation(10, { kid_AtoB: 0.1, bad: null }, true),
    ];
    const path = write('killed', `${text(training, measured)}nonsense\n{"step":3}\n{"step":20,"ep`);
    expect(await readLog(path)).toEqual([training, measured]);
    expect(await readMetrics(path)).toEqual([training]);
    await expect(readMetrics(join(root, 'none.jsonl'))).rejects.toMatchObject({ code: 'run' });
  });

  it('read a last line without its end, and lines across the pieces in which the file is read', async () => {
    const many = Array.from({ length: 9000 }, (_, at) => line(at + 1));
    const path = write('long', text(...many).trimEnd());
    expect(await readMetrics(path)).toEqual(many);
  });

  it('take no foreign file into memory for a line', async () => {
    const path = write('foreign', `${'x'.repeat(5 << 20)}\n${text(line(1))}`);
    expect(await readMetrics(path)).toEqual([line(1)]);
  });
});

describe('createLogReader', () => {
  it('follows a file that grows, half a line at a time', async () => {
    const path = write('growing', text(line(1)));
    const log = createLogReader(path);
    expect(await log.read()).toEqual([line(1)]);
    const next = text(line(2));
    appendFileSync(path, next.slice(0, 40));
    expect(await log.read()).toEqual([line(1)]);
    appendFileSync(path, next.slice(40));
    expect(await log.read()).toEqual([line(1), line(2)]);
    expect(await log.read()).toEqual([line(1), line(2)]);
  });

  it('begins again when the file is replaced, as a resume does', async () => {
    const path = write('replaced', text(line(1), line(2)));
    const log = createLogReader(path);
    await log.read();
    const longer = text(line(1), line(3), line(4));
    renameSync(write('beside', longer), path);
    expect(await log.read()).toEqual([line(1), line(3), line(4)]);
    writeFileSync(path, text(line(9)));
    expect(await log.read()).toEqual([line(9)]);
  });
});
