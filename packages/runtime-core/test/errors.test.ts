/** Errors on their way out of a worker, and the fall from one device to the next. */
import {
  type ConcreteDevice,
  CycleganError,
  errorFromData,
  errorToData,
  isCycleganError,
  openFirst,
} from '@cyclegan/runtime-core';
import { describe, expect, it } from 'vitest';

describe('an error that crosses to another thread', () => {
  it('keeps its class, code, message and stack', () => {
    const error = new CycleganError('input', '[image] x: bad.');
    const copy = errorFromData(structuredClone(errorToData(error)));
    expect(isCycleganError(copy) && copy.code).toBe('input');
    expect(copy).toMatchObject({ message: error.message, stack: error.stack });
  });
  it('stays a plain error when it was one, whatever was thrown', () => {
    expect(isCycleganError(errorFromData(errorToData(new TypeError('no'))))).toBe(false);
    expect(errorFromData(structuredClone(errorToData('just text'))).message).toBe('just text');
  });
});

describe('openFirst', () => {
  const failing =
    (errors: Partial<Record<ConcreteDevice, Error>>) =>
    async ({ device }: { device: ConcreteDevice }) => {
      const error = errors[device];
      if (error) throw error;
      return `${device} session`;
    };
  const on = (...devices: ConcreteDevice[]) => devices.map((device) => ({ device }));

  it('takes the first that opens, and says why the others were passed over', async () => {
    const result = await openFirst({
      candidates: on('webgpu', 'cuda', 'cuda', 'cpu', 'wasm'),
      absence: (device) => (device === 'cuda' || device === 'wasm' ? 'no library' : undefined),
      open: failing({ webgpu: new Error('no adapter') }),
    });
    expect(result).toEqual({
      candidate: { device: 'cpu' },
      opened: 'cpu session',
      fallbacks: [
        { device: 'webgpu', reason: 'no adapter' },
        { device: 'cuda', reason: 'no library' },
      ],
    });
  });

  it('names every reason when none opens', async () => {
    const wrong = new CycleganError('device', 'wrong answer');
    const open = failing({ webgpu: new Error('no adapter'), cpu: wrong });
    await expect(openFirst({ candidates: on('webgpu', 'cpu'), open })).rejects.toMatchObject({
      code: 'device',
      message: expect.stringMatching(/webgpu \(no adapter\); cpu \(wrong answer\)/),
      cause: wrong,
    });
  });

  it('tries the next model on a device whose first failed', async () => {
    const open = async ({ model }: { device: ConcreteDevice; model: string }) => {
      if (model === 'int8') throw new Error('off by 0.3');
      return model;
    };
    const candidates = [
      { device: 'cpu', model: 'int8' },
      { device: 'cpu', model: 'fp32' },
    ] as const;
    expect(await openFirst({ candidates, open })).toMatchObject({
      opened: 'fp32',
      fallbacks: [{ device: 'cpu', reason: 'off by 0.3' }],
    });
  });

  it('does not look further for a damaged bundle, nor after an abort', async () => {
    const damaged = new CycleganError('bundle', 'wrong hash');
    const open = failing({ webgpu: damaged });
    await expect(openFirst({ candidates: on('webgpu', 'cpu'), open })).rejects.toBe(damaged);
    const signal = AbortSignal.abort();
    await expect(openFirst({ candidates: on('cpu'), open, signal })).rejects.toMatchObject({
      code: 'aborted',
    });
  });
});
