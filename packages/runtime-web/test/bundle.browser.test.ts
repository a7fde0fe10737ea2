/** Bundles from an address and from files in hand, and each way in which one can be bad. */
import { createTranslator, type Progress } from '@cyclegan/runtime-web';
import { describe, expect, it } from 'vitest';
import { changedManifest, imageData, TINY, tinyFiles } from './support.ts';

const create = (bundle: Parameters<typeof createTranslator>[0]) =>
  createTranslator(bundle, { device: 'wasm' });
const refusal = (message: RegExp) => ({
  name: 'CycleganError',
  code: 'bundle',
  message: expect.stringMatching(message),
});

it('comes from a folder, from its manifest and from files', async () => {
  const folder = new URL('.', TINY);
  const sources = [folder, folder.href.slice(0, -1), TINY, await tinyFiles()];
  for (const source of sources) {
    const translator = await create(source);
    expect((await translator.translate(imageData(16, 16))).width).toBe(16);
    await translator.dispose();
  }
});

it('counts the bytes while they come', async () => {
  const seen: Progress[] = [];
  const translator = await createTranslator(TINY, { device: 'wasm', onProgress: (step) => seen.push(step) });
  await translator.dispose();
  const bytes = translator.info.manifest.models[0]?.bytes;
  const download = seen.filter(({ stage }) => stage === 'download');
  expect(download.at(-1)).toEqual({ stage: 'download', done: bytes, total: bytes });
  expect(seen.map(({ stage }) => stage).indexOf('session')).toBe(download.length);
});

describe('refuses', () => {
  it('an address with nothing behind it', async () => {
    await expect(create(new URL('nowhere/', TINY))).rejects.toMatchObject(
      refusal(/nowhere\/manifest\.json: expected/),
    );
    await expect(create('http://127.0.0.1:9/bundle/')).rejects.toMatchObject(
      refusal(/127\.0\.0\.1:9\/bundle\/manifest\.json: expected a file that this page may fetch/),
    );
  });

  it('a manifest that is not JSON, of another format, or from a newer version', async () => {
    const files = await tinyFiles();
    const withManifest = (manifest: Blob) => create({ ...files, 'manifest.json': manifest });
    await expect(withManifest(new Blob(['<!doctype html>']))).rejects.toMatchObject(refusal(/expected JSON/));
    await expect(withManifest(new Blob(['{}']))).rejects.toMatchObject(refusal(/cyclegan-bundle/));
    const newer = await changedManifest((manifest) => Object.assign(manifest, { version: 99 }));
    await expect(withManifest(newer)).rejects.toMatchObject(refusal(/version 1 or older, got 99/));
  });

  it('files without a manifest or a model', async () => {
    const { 'manifest.json': manifest = new Blob(), ...models } = await tinyFiles();
    await expect(create(models)).rejects.toMatchObject(
      refusal(/manifest\.json: expected it among the files/),
    );
    await expect(create({ 'manifest.json': manifest })).rejects.toMatchObject(refusal(/AtoB\.fp32\.onnx/));
  });

  it('a model of a wrong size or hash', async () => {
    const files = await tinyFiles();
    const model = files['AtoB.fp32.onnx'] ?? new Blob();
    const damaged = new Uint8Array(await model.arrayBuffer());
    damaged[damaged.length >> 1] = (damaged[damaged.length >> 1] ?? 0) ^ 1;
    const withModel = (file: Blob) => create({ ...files, 'AtoB.fp32.onnx': file });
    await expect(withModel(new Blob([damaged]))).rejects.toMatchObject(
      refusal(/expected SHA-256 [0-9a-f]{64}, got/),
    );
    await expect(withModel(model.slice(0, -1))).rejects.toMatchObject(
      refusal(/expected 38474 bytes, got 38473/),
    );
    await expect(withModel(new Blob([model, 'x']))).rejects.toMatchObject(refusal(/at most 38474 bytes/));
  });

  it('a model that gives another answer than the checkpoint did', async () => {
    const manifest = await changedManifest(({ models }) => {
      for (const { selfCheck } of models) selfCheck.output = selfCheck.input;
    });
    await expect(create({ ...(await tinyFiles()), 'manifest.json': manifest })).rejects.toMatchObject({
      code: 'device',
      message: expect.stringMatching(/wasm .*known patch within/),
    });
  });
});

it('stops a download on request, and cuts off one that is larger than its manifest says', async () => {
  const realFetch = globalThis.fetch;
  let cancelled = 0;
  // An endless model: whoever reads it whole never comes back.
  globalThis.fetch = async (input, init) => {
    if (!String(input).endsWith('.onnx')) return realFetch(input, init);
    const pull = (controller: ReadableStreamDefaultController) => {
      if (init?.signal?.aborted) controller.error(init.signal.reason);
      else controller.enqueue(new Uint8Array(1000));
    };
    const cancel = () => {
      cancelled += 1;
    };
    return new Response(new ReadableStream({ pull, cancel }));
  };
  try {
    await expect(create(TINY)).rejects.toMatchObject(refusal(/at most 38474 bytes, got more/));
    expect(cancelled).toBe(1);
    const controller = new AbortController();
    const onProgress = () => controller.abort();
    await expect(
      createTranslator(TINY, { device: 'wasm', signal: controller.signal, onProgress }),
    ).rejects.toMatchObject({ code: 'aborted' });
  } finally {
    globalThis.fetch = realFetch;
  }
});
