/** Everything that is written as ONNX passes onnx's own checker, with full shape inference, at opset 17 and IR 8. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Graph, writeOnnx } from '@cyclegan/graph';
import type { GeneratorConfig } from '@cyclegan/model';
import { type StepConfig, sampleGraph, stepGraph } from '@cyclegan/train';
import { expect, test } from 'vitest';
import { python, pythonHas, skipMessage } from '../oracles/python.ts';
import { makeBundle, smallNetworks } from '../support/make-bundle.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const generators: (Partial<GeneratorConfig> | undefined)[] = [
  undefined,
  { kind: 'unet', downs: 5, norm: 'batch', dropout: true, inputChannels: 1 },
  { norm: 'batch', upsample: 'resize', dropout: true, outputChannels: 1 },
  { kind: 'unet', downs: 6, norm: 'none', upsample: 'resize' },
];

test('bundles, the training step and the sample graph pass onnx.checker', async (context) => {
  if (!(await pythonHas('onnx'))) {
    const message = skipMessage('onnx.checker over every written model', 'onnx');
    console.warn(message);
    context.skip(message);
  }
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

  const { status, stdout, stderr } = await python('check_onnx.py', models);
  expect(stderr).toBe('');
  expect(stdout.trim().split('\n')).toEqual(models.map((path) => `${path}: opset ai.onnx 17, IR 8`));
  expect(status).toBe(0);
});
