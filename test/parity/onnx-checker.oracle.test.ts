/** Everything that is written as ONNX passes onnx's own checker, with full shape inference, at opset 17 and IR 8. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ExportOptions, exportBundle } from '@cyclegan/export';
import { type Graph, writeOnnx } from '@cyclegan/graph';
import type { GeneratorConfig } from '@cyclegan/model';
import { type StepConfig, sampleGraph, stepGraph } from '@cyclegan/train';
import sharp from 'sharp';
import { expect, type TestContext, test } from 'vitest';
import { foreignGenerator } from '../../packages/export/test/variants-support.ts';
import { python, pythonHas, skipMessage } from '../oracles/python.ts';
import { makeBundle, makeRun, smallNetworks } from '../support/make-bundle.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const generators: (Partial<GeneratorConfig> | undefined)[] = [
  undefined,
  { kind: 'unet', downs: 5, norm: 'batch', dropout: true, inputChannels: 1 },
  { norm: 'batch', upsample: 'resize', dropout: true, outputChannels: 1 },
  { kind: 'unet', downs: 6, norm: 'none', upsample: 'resize' },
];

async function needsOnnx(context: TestContext): Promise<void> {
  if (await pythonHas('onnx')) return;
  const message = skipMessage('onnx.checker over every written model', 'onnx');
  console.warn(message);
  context.skip(message);
}

async function expectSound(models: readonly string[]): Promise<void> {
  const { status, stdout, stderr } = await python('check_onnx.py', models);
  expect(stderr).toBe('');
  expect(stdout.trim().split('\n')).toEqual(models.map((path) => `${path}: opset ai.onnx 17, IR 8`));
  expect(status).toBe(0);
}

test('every precision and interface passes onnx.checker', async (context) => {
  await needsOnnx(context);
  const dir = temporaryFolder();
  const images = join(dir, 'images');
  await mkdir(images);
  for (let i = 0; i < 6; i += 1) {
    const noise = { type: 'gaussian', mean: 60 + 20 * i, sigma: 40 } as const;
    const create = { width: 32, height: 32, channels: 3, background: 'teal', noise } as const;
    await sharp({ create })
      .blur(1)
      .toFile(join(images, `${i}.png`));
  }
  const { run } = await makeRun({ run: join(dir, 'run'), ngf: 16 });
  const models: string[] = [];
  const write = async (name: string, options: Partial<ExportOptions>) => {
    const { files } = await exportBundle({
      source: run,
      out: join(dir, name),
      direction: 'AtoB',
      ...options,
    });
    models.push(...files.filter((file) => file.endsWith('.onnx')));
  };
  const precision = ['fp32', 'fp16', 'fp16-weights', 'int8'] as const;
  await write('bytes', { precision, calibrate: images, io: 'rgba8', tiles: true });
  await write('fixed', { precision, calibrate: images, size: { width: 32, height: 24 } });
  await write('nhwc', { precision, calibrate: images, layout: 'NHWC' });
  expect(models).toHaveLength(16 + 8 + 8);
  await expectSound(models);
});

test('what is imported passes onnx.checker', async (context) => {
  await needsOnnx(context);
  const dir = temporaryFolder();
  const fixture = (path: string) => fileURLToPath(new URL(`../fixtures/${path}`, import.meta.url));
  const foreign = join(dir, 'foreign.onnx');
  await writeFile(foreign, writeOnnx(foreignGenerator()));
  const sources = [
    ...['resnet6', 'resnet-affine', 'unet6-batch', 'unet5-resize'].map((name) =>
      fixture(`pytorch/${name}.pth`),
    ),
    ...['cyclegan-uint8', 'unet'].map((name) => fixture(`tfjs/${name}`)),
    foreign,
  ];
  const models: string[] = [];
  for (const [i, source] of sources.entries()) {
    const { files } = await exportBundle({ source, out: join(dir, `${i}`), precision: ['fp32', 'fp16'] });
    models.push(...files.filter((file) => file.endsWith('.onnx')));
  }
  expect(models).toHaveLength(2 * sources.length);
  await expectSound(models);
});

test('bundles, the training step and the sample graph pass onnx.checker', async (context) => {
  await needsOnnx(context);
  const dir = temporaryFolder();
  const models: string[] = [];
  for (const [i, generator] of generators.entries()) {
    const { files } = await makeBundle({ dir: join(dir, `${i}`), blocks: 2, generator });
    models.push(...files.filter((file) => file.endsWith('.onnx')));
  }
  expect(models).toHaveLength(2 * generators.length);

  const write = async (name: string, graph: Graph) => {
    const path = join(dir, `${name}.onnx`);
    await writeFile(path, writeOnnx(graph));
    models.push(path);
  };
  const lsgan = {
    gan: 'lsgan',
    lambdaGanA: 1,
    lambdaGanB: 1,
    lambdaA: 10,
    lambdaB: 10,
    lambdaIdentity: 0.5,
    lambdaGp: 10,
  } as const;
  const adam = { beta1: 0.5, beta2: 0.999 };
  const common = { objective: lsgan, adam, recompute: false, batch: 2, height: 32 };
  const config: StepConfig = { ...common, networks: smallNetworks(), width: 24 };
  await write('step', stepGraph(config));
  await write('step-gradients', stepGraph(config, { withGradients: true }));
  await write(
    'step-vanilla',
    stepGraph({ ...config, objective: { ...lsgan, gan: 'vanilla', lambdaIdentity: 0 } }),
  );
  await write('step-wgangp', stepGraph({ ...config, objective: { ...lsgan, gan: 'wgangp' } }));
  await write('sample', sampleGraph(config));
  // Grey and colour: neither generator takes what it gives, so that there is no identity.
  const objective = { ...lsgan, lambdaIdentity: 0 };
  const networks = smallNetworks({ generator: generators[1] });
  const unet: StepConfig = { ...common, networks, objective, width: 64 };
  await write('step-unet', stepGraph(unet));
  await write('sample-unet', sampleGraph(unet));

  await expectSound(models);
});
