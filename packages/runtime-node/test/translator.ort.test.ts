/** What the contract does not know of the Node translator: bundles on disk, devices, threads, the event loop. */
import { execFile } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createTranslator, type NodeTranslatorOptions } from '@cyclegan/runtime-node';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import sharp from 'sharp';
import { describe, expect, it, onTestFinished } from 'vitest';
import { noise, plain, temporaryFolder, tinyBundle } from './support.ts';

async function open(options: NodeTranslatorOptions = {}, bundle = tinyBundle) {
  const translator = await createTranslator(bundle, options);
  onTestFinished(() => translator.dispose());
  return translator;
}

describe('a bundle that is refused', () => {
  const model = 'AtoB.fp32.onnx';
  const edit = (folder: string, change: (manifest: ReturnType<typeof JSON.parse>) => void) => {
    const path = join(folder, 'manifest.json');
    const manifest = JSON.parse(readFileSync(path, 'utf8'));
    change(manifest);
    writeFileSync(path, JSON.stringify(manifest));
  };

  it.each<[string, (folder: string) => void, string]>([
    ['a changed byte', (folder) => changeByte(join(folder, model)), 'expected SHA-256'],
    [
      'a truncated model',
      (folder) => truncateSync(join(folder, model), 1000),
      'expected 38474 bytes, got 1000',
    ],
    ['a missing model', (folder) => rmSync(join(folder, model)), 'expected a readable model file'],
    ['no manifest', (folder) => rmSync(join(folder, 'manifest.json')), 'expected a readable manifest'],
    ['a broken manifest', (folder) => truncateSync(join(folder, 'manifest.json'), 99), 'readable manifest'],
    ['a newer version', (folder) => edit(folder, (json) => (json.version = 2)), 'version 1 or older, got 2'],
    [
      'a model elsewhere',
      (folder) => edit(folder, (json) => (json.models[0].file = `../${model}`)),
      'models.0.file is not valid',
    ],
  ])('%s', async (_, damage, message) => {
    const folder = join(temporaryFolder(), 'bundle');
    cpSync(tinyBundle, folder, { recursive: true });
    damage(folder);
    const refusal: unknown = await createTranslator(folder).catch((error) => error);
    expect(refusal).toMatchObject({ name: 'CycleganError', code: 'bundle' });
    expect(String(refusal)).toContain(folder);
    expect(String(refusal)).toContain(message);
  });

  it('a model that does not answer the patch as it should', async () => {
    const folder = join(temporaryFolder(), 'bundle');
    cpSync(tinyBundle, folder, { recursive: true });
    edit(folder, (json) => {
      json.models[0].selfCheck.output = json.models[1].selfCheck.output;
    });
    await expect(createTranslator(folder)).rejects.toMatchObject({
      code: 'device',
      message: expect.stringMatching(
        /cpu \(\[self-check\] output: expected the known patch within 0\.002, got off by/,
      ),
    });
  });
});

function changeByte(path: string): void {
  const bytes = readFileSync(path);
  bytes[30_000] = (bytes[30_000] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

describe('devices and threads', () => {
  it('auto runs, and has a reason for each device that it left out', async () => {
    const { info } = await open();
    const order = ['tensorrt', 'cuda', 'webgpu', 'cpu'];
    expect(info.fallbacks.map(({ device }) => device)).toEqual(order.slice(0, order.indexOf(info.device)));
    for (const { reason } of info.fallbacks) expect(reason).toMatch(/\w/);
  });

  it('uses as many threads as it is given', async () => {
    expect((await open({ threads: 1 })).info.threads).toBe(1);
    await expect(createTranslator(tinyBundle, { threads: 0 })).rejects.toMatchObject({ code: 'usage' });
  });

  it('refuses a device of the browser', async () => {
    await expect(createTranslator(tinyBundle, { device: 'wasm' })).rejects.toMatchObject({
      code: 'device',
      message: expect.stringContaining('Use cpu'),
    });
  });

  it('says how to add CUDA where it is not installed', async ({ skip }) => {
    const installed = (await open()).info.fallbacks.every(({ device }) => device !== 'cuda');
    skip(installed, 'the CUDA library is installed');
    await expect(createTranslator(tinyBundle, { device: 'cuda' })).rejects.toMatchObject({
      code: 'device',
      message: expect.stringContaining('cyclegan doctor'),
    });
  });
});

describe('the program around it', () => {
  /** How often a timer fires while `work` is under way. */
  async function ticksDuring(work: () => Promise<unknown>): Promise<number> {
    let ticks = 0;
    const timer = setInterval(() => {
      ticks += 1;
    }, 2);
    await work();
    clearInterval(timer);
    return ticks;
  }

  it('goes on while an image is translated; with a session of its own it would stand still', async () => {
    const side = 1024;
    const feeds = { image: new Tensor('float32', new Float32Array(3 * side * side), [1, 3, side, side]) };
    const session = await InferenceSession.create(join(tinyBundle, 'AtoB.fp32.onnx'));
    const without = await ticksDuring(() => session.run(feeds));
    await session.release();
    const translator = await open({ device: 'cpu', tile: 'none' });
    const bytes = await noise(side, side).raw().toBuffer();
    const image = sharp(bytes, { raw: { width: side, height: side, channels: 3 } });
    const within = await ticksDuring(() => translator.translate(image));
    expect(without).toBeLessThanOrEqual(2);
    expect(within).toBeGreaterThan(10);
  });

  it('has as many threads after dispose as before', async ({ skip }) => {
    const tasks = '/proc/self/task';
    skip(!existsSync(tasks), `needs ${tasks}`);
    const threads = () => readdirSync(tasks).length;
    await (await createTranslator(tinyBundle)).dispose();
    await wait(50);
    const before = threads();
    const translator = await createTranslator(tinyBundle, { threads: 4 });
    expect(threads()).toBeGreaterThan(before + 3);
    await translator.dispose();
    await expect.poll(threads).toBeLessThanOrEqual(before);
  });

  /** Runs a module in a process of its own, which finds packages from here. */
  const runProgram = (program: string, ...values: string[]) =>
    promisify(execFile)(process.execPath, ['--input-type=module', '-e', program, ...values], {
      cwd: import.meta.dirname,
    });

  it('ends by itself once the translator is disposed', async () => {
    const program = `
      import { createTranslator } from '@cyclegan/runtime-node';
      const translator = await createTranslator(process.argv[1]);
      const image = await translator.translate(process.argv[2]);
      await image.toFile(process.argv[3]);
      await translator.dispose();
      console.log('done');`;
    const folder = temporaryFolder();
    const [input, output] = [join(folder, 'in.jpg'), join(folder, 'out.png')];
    await plain(33, 21).toFile(input);
    const { stdout, stderr } = await runProgram(program, tinyBundle, input, output);
    expect([stdout, stderr]).toEqual(['done\n', '']);
    expect(await sharp(output).metadata()).toMatchObject({ width: 33, height: 21, format: 'png' });
  });

  it.each(['process.exit(3)', "throw new Error('bug')"])(
    'can end with %s in the middle of an image',
    async (end) => {
      const program = `
        import { createTranslator } from '@cyclegan/runtime-node';
        import sharp from 'sharp';
        const image = () => sharp({ create: { width: 1024, height: 1024, channels: 3, background: 'red' } });
        const open = () => createTranslator(process.argv[1], { device: 'cpu', tile: 'none' });
        const translators = await Promise.all([open(), open()]);
        for (const translator of translators) translator.translate(image()).catch(() => {});
        open().catch(() => {});
        setTimeout(() => { ${end}; }, 120);`;
      const failure: unknown = await runProgram(program, tinyBundle).catch((error) => error);
      expect(failure).toMatchObject({ code: end.startsWith('throw') ? 1 : 3, signal: null });
    },
  );
});
