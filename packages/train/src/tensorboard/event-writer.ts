/**
 * Event files as TensorBoard reads them from a folder while they grow: `tensorboard --logdir RUN`. Decides nothing
 * about what is logged.
 */
import { type FileHandle, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder, writing } from '@cyclegan/model';
import { frameRecord } from '../tfrecord/frame.js';
import { type EventContent, encodeEvent } from './event.js';

export interface EventWriterOptions {
  /** Made where missing. Each writer adds a file of its own. */
  folder: string;
  /** Steps done before this writer: what older files say of later ones no longer counts. Default 0. */
  startStep?: number | undefined;
}

/** Calls are written in their order; each is on disk (in the system's cache) when its promise resolves. */
export interface EventWriter {
  /**
   * @param wallTime seconds since 1970
   * @param record values by tag, such as `loss/G_A`; a slash groups them
   */
  scalars(step: number, wallTime: number, record: Readonly<Record<string, number>>): Promise<void>;
  /** @param png a PNG file's bytes, not kept */
  image(step: number, tag: string, png: Uint8Array): Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
}

/**
 * Begins an event file.
 * @throws CycleganError `output` when the folder cannot be written, here and from the calls
 */
export async function createEventWriter({ folder, startStep = 0 }: EventWriterOptions): Promise<EventWriter> {
  const { path, file } = await writing(folder, async () => {
    await makeFolder(folder);
    return openNext(folder);
  });
  let last: Promise<void> = Promise.resolve();
  const append = (wallTime: number, step: number, content: EventContent) => {
    const event = frameRecord(encodeEvent(wallTime, step, content));
    const written = last.then(() => writing(path, () => writeWhole(file, event)));
    // A failed call does not fail the later ones: the next may fit on the disk again.
    last = written.catch(() => {});
    return written;
  };
  const now = () => Date.now() / 1000;
  let closed: Promise<void> | undefined;
  await append(now(), 0, { fileVersion: 'brain.Event:2' });
  await append(now(), startStep + 1, { sessionStart: true });
  return {
    scalars: (step, wallTime, record) => append(wallTime, step, { scalars: record }),
    image: (step, tag, png) => append(now(), step, { image: { tag, png } }),
    close() {
      closed ??= last.then(() => file.close());
      return closed;
    },
  };
}

/**
 * TensorBoard reads the files of a folder in the order of their names and never goes back, so that a name is later
 * than all others even when the clock is not.
 */
async function openNext(folder: string): Promise<{ path: string; file: FileHandle }> {
  const times = (await readdir(folder)).map((name) => Number(/tfevents\.(\d+)/.exec(name)?.[1] ?? 0));
  const time = Math.max(Math.floor(Date.now() / 1000), ...times.map((one) => one + 1));
  const path = join(folder, `events.out.tfevents.${String(time).padStart(10, '0')}.cyclegan`);
  return { path, file: await open(path, 'ax') };
}

/** All of the event or, where the disk is full, none: a torn one would hide all behind it. */
async function writeWhole(file: FileHandle, event: Uint8Array): Promise<void> {
  const { size } = await file.stat();
  try {
    await file.appendFile(event);
  } catch (error) {
    await file.truncate(size).catch(() => {});
    throw error;
  }
}
