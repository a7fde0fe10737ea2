/** Where training runs: the choice of a device by trial, what is said of one that is not there, threads and runs. */
import { existsSync, readdirSync } from 'node:fs';
import {
  chooseTrainingDevice,
  createOrtEngine,
  cudaInstallCommand,
  deviceAbsence,
  type EngineOptions,
} from '@cyclegan/train';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { inputsOf, tinyEngine } from './engine-support.mjs';

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('the choice of a device', () => {
  it('says of every device what came of it', async () => {
    const { device, reason, tried } = await chooseTrainingDevice(tinyEngine());
    expect(tried.map((each) => each.device)).toEqual(['cuda', 'webgpu', 'cpu']);
    expect(tried.find((each) => each.device === device)?.reason).toBeUndefined();
    expect(reason).toMatch(new RegExp(`^cuda: .+; webgpu: .+; cpu: .+: training on ${device}\\.$`));
    for (const each of tried) {
      const absent = deviceAbsence(each.device);
      if (absent) expect(each.reason).toBe(absent.reason);
    }
  });

  it('takes the fastest, by the time of this very step', async () => {
    const notes: string[] = [];
    const { device, tried } = await chooseTrainingDevice({
      ...tinyEngine(),
      devices: ['webgpu', 'cpu'],
      onNote: (note) => notes.push(note),
    });
    expect(notes).toEqual(['Trying a step on webgpu, cpu.']);
    const [webgpu, cpu] = tried;
    expect(cpu?.stepMs).toBeGreaterThan(0);
    const slower = webgpu?.stepMs === undefined || webgpu.stepMs > (cpu?.stepMs ?? 0);
    expect(device).toBe(slower ? 'cpu' : 'webgpu');
    if (webgpu?.stepMs === undefined) expect(webgpu?.reason).toMatch(/^Failed to get a WebGPU adapter/);
  });

  it('gives up on a device that does not answer, and falls back to the CPU', async () => {
    const choice = await chooseTrainingDevice({ ...tinyEngine(), devices: ['webgpu', 'cpu'], limitMs: 1 });
    expect(choice.tried.map(({ reason }) => reason)).toEqual([
      'no answer in 0.001 s',
      'no answer in 0.001 s',
    ]);
    expect(choice.device).toBe('cpu');
  });

  it('outlives a trial that ends its process', async () => {
    vi.stubEnv('NODE_OPTIONS', '--require=/nowhere/to-be-found.cjs');
    const { tried, device } = await chooseTrainingDevice({ ...tinyEngine(), devices: ['webgpu', 'cpu'] });
    expect(tried.map(({ reason }) => reason)).toEqual([
      'its process ended by code 1',
      'its process ended by code 1',
    ]);
    expect(device).toBe('cpu');
  });

  it('stops on request', async () => {
    const controller = new AbortController();
    const choice = chooseTrainingDevice({
      ...tinyEngine(),
      devices: ['cpu', 'webgpu'],
      signal: controller.signal,
    });
    controller.abort();
    await expect(choice).rejects.toMatchObject({ code: 'aborted' });
  });
});

describe('a device that is not there', () => {
  it.skipIf(!deviceAbsence('cuda') || process.platform !== 'linux' || process.arch !== 'x64')(
    'is refused in one sentence with the one command that adds it',
    async () => {
      const command = cudaInstallCommand();
      await expect(createOrtEngine(tinyEngine({ device: 'cuda' }))).rejects.toMatchObject({
        code: 'device',
        message: expect.stringMatching(/^\[train\] device: .* got cuda: CUDA's files are not beside/),
      });
      await expect(createOrtEngine(tinyEngine({ device: 'cuda' }))).rejects.toThrow(command);
      const [setting, program, script] = command.split(' ');
      expect([setting, program]).toEqual(['ONNXRUNTIME_NODE_INSTALL=cuda12', 'node']);
      expect(existsSync(script ?? '')).toBe(true);
    },
  );

  it('is announced before it is tried, as it takes long where it is there', async () => {
    const notes: string[] = [];
    const options = tinyEngine({ device: 'webgpu', onNote: (note) => notes.push(note) });
    await createOrtEngine(options).then(
      (engine) => engine.dispose(),
      (error: unknown) => expect(error).toMatchObject({ code: 'device' }),
    );
    expect(notes[0]).toMatch(/^Preparing the training step on webgpu/);
  });
});

describe('an engine', () => {
  const run = async (changes: Partial<EngineOptions>, steps: number) => {
    const options = tinyEngine(changes);
    const engine = await createOrtEngine(options);
    try {
      return { engine, losses: await engine.run(inputsOf(options, 0, steps)) };
    } finally {
      await engine.dispose();
    }
  };

  it('takes as many steps at once as it was told, and no more', async () => {
    const { engine, losses } = await run({ stepsPerRun: 3 }, 3);
    expect([engine.stepsPerRun, losses.length]).toEqual([3, 3]);
    await expect(run({ stepsPerRun: 3 }, 4)).rejects.toThrow('4 steps for a run of at most 3');
    expect((await run({ stepsPerRun: 'auto' }, 1)).engine.stepsPerRun).toBe(1);
    expect((await run({ stepsPerRun: 3 }, 0)).losses).toEqual([]);
  });

  it.skipIf(process.platform !== 'linux')('computes on as many threads as it was told', async () => {
    const threads = () => readdirSync('/proc/self/task').length;
    const opened = async (count: number) => {
      const before = threads();
      const engine = await createOrtEngine(tinyEngine({ threads: count }));
      const more = threads() - before;
      await engine.dispose();
      return more;
    };
    expect(await opened(1)).toBe(0);
    expect(await opened(4)).toBe(3);
  });

  it('refuses the state of other networks', async () => {
    const engine = await createOrtEngine(tinyEngine());
    const other = await createOrtEngine(tinyEngine({ stepsPerRun: 2, height: 32, width: 32, pool: 2 }));
    const state = await engine.getState();
    const wrong = { ...state, groups: { G: state.groups.D, D: state.groups.G } };
    await expect(engine.setState(wrong)).rejects.toThrow('internal: G.parameters has');
    await expect(other.setState(wrong)).rejects.toThrow('internal: G.parameters has');
    await Promise.all([engine.dispose(), other.dispose()]);
  });
});
