/** Everything that is written as ONNX passes onnx's own checker, with full shape inference, at opset 17 and IR 8. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Graph, writeOnnx } from '@cyclegan/graph';
import { type StepConfig, sampleGraph, stepGraph } from '@cyclegan/train';
import { expect, test } from 'vitest';
import { python, pythonHas, skipMessage } from '../oracles/python.ts';
import { makeBundle, smallNetworks } from '../support/make-bundle.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('bundles, the training step and the sample graph pass onnx.checker', async (context) => {
  if (!(await pythonHas('onnx'))) {
    const message = skipMessage('onnx.checker over every written model', 'onnx');
    console.warn(message);
    context.skip(message);
  }
  const dir = temporaryFolder();
  const { files } = await makeBundle({ dir, blocks: 2 });
  const models = files.filter((file) => file.endsWith('.onnx'));
  expect(models).toHaveLength(2);

  const write = async (name: string, graph: Graph) => {
    const path = join(dir, `${name}.onnx`);
    await writeFile(path, writeOnnx(graph));
    models.push(path);
  };
  const lsgan = { gan: 'lsgan', lambdaA: 10, lambdaB: 10, lambdaIdentity: 0.5 } as const;
  const config: StepConfig = { networks: smallNetworks(), objective: lsgan, batch: 2, height: 32, width: 24 };
  await write('step', stepGraph(config));
  await write('step-gradients', stepGraph(config, { withGradients: true }));
  await write(
    'step-vanilla',
    stepGraph({ ...config, objective: { ...lsgan, gan: 'vanilla', lambdaIdentity: 0 } }),
  );
  await write('sample', sampleGraph(config));

  const { status, stdout, stderr } = await python('check_onnx.py', models);
  expect(stderr).toBe('');
  expect(stdout.trim().split('\n')).toEqual(models.map((path) => `${path}: opset ai.onnx 17, IR 8`));
  expect(status).toBe(0);
});
