/** Places and settings of a translator, apart from any worker. */
import { assertSettings, createSlots, type TranslationSettings } from '@cyclegan/runtime-core';
import { describe, expect, it } from 'vitest';

const never = new AbortController().signal;
/** What of the promises is settled once all microtasks have run. */
async function settled(...promises: Promise<unknown>[]): Promise<boolean[]> {
  const done = promises.map(() => false);
  for (const [i, promise] of promises.entries()) {
    const mark = () => {
      done[i] = true;
    };
    promise.then(mark, mark);
  }
  await new Promise((resolve) => setTimeout(resolve));
  return done;
}

describe('createSlots', () => {
  it('lets as many in as there are places, the others in the order of asking', async () => {
    const slots = createSlots(2);
    const takes = Array.from({ length: 4 }, () => slots.take(never));
    expect(await settled(...takes)).toEqual([true, true, false, false]);
    (await takes[1])?.();
    expect(await settled(...takes)).toEqual([true, true, true, false]);
    (await takes[0])?.();
    (await takes[2])?.();
    expect(await settled(...takes, slots.take(never), slots.take(never))).toEqual([
      true,
      true,
      true,
      true,
      true,
      false,
    ]);
  });

  it('loses no place to one that was called away', async () => {
    const slots = createSlots(1);
    const leave = await slots.take(never);
    const away = new AbortController();
    const reason = new Error('enough');
    const called = slots.take(away.signal);
    const next = slots.take(never);
    away.abort(reason);
    await expect(called).rejects.toBe(reason);
    expect(await settled(next)).toEqual([false]);
    leave();
    expect(await settled(next)).toEqual([true]);
    await expect(slots.take(away.signal)).rejects.toBe(reason);
  });
});

describe('assertSettings', () => {
  it.each<TranslationSettings>([
    {},
    { tile: 'none', memory: 1, alpha: 'flatten', background: [0, 128, 255] },
    { memory: 4 * 2 ** 30 },
  ])('takes %j', (settings) => {
    expect(() => assertSettings(settings)).not.toThrow();
  });

  it.each<[object, string]>([
    [{ tile: 0 }, 'tile'],
    [{ memory: 0 }, 'memory'],
    [{ memory: Number.NaN }, 'memory'],
    [{ memory: '4G' }, 'memory'],
    [{ alpha: 'drop' }, 'alpha'],
    [{ background: [1, 2] }, 'background'],
    [{ background: [0, 0, 256] }, 'background'],
    [{ background: [0, 0.5, 0] }, 'background'],
  ])('refuses %j', (settings, what) => {
    expect(() => assertSettings(settings)).toThrow(expect.objectContaining({ code: 'usage' }));
    expect(() => assertSettings(settings)).toThrow(`${what}: expected`);
  });
});
