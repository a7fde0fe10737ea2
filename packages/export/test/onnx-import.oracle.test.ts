/** Generators that PyTorch itself wrote as ONNX, of fixed and free sizes and several opsets, become sound bundles. */
import { join } from 'node:path';
import { exportBundle, verifyBundle } from '@cyclegan/export';
import { expect, test } from 'vitest';
import { python, pythonHas, skipMessage } from '../../../test/oracles/python.ts';
import { smallNetworks } from '../../../test/support/make-bundle.ts';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';

const small = (generator: NonNullable<Parameters<typeof smallNetworks>[0]>['generator']) =>
  smallNetworks({ generator }).generator;

const cases = {
  'resnet-9': { config: small({}), opset: 9, dynamic: false, shape: [1, 3, 32, 48] },
  'resnet-resize-11': {
    config: small({ upsample: 'resize' }),
    opset: 11,
    dynamic: false,
    shape: [1, 3, 16, 16],
  },
  'resnet-batch-16': {
    config: small({ upsample: 'resize', norm: 'batch' }),
    opset: 16,
    dynamic: true,
    shape: [1, 3, 32, 48],
  },
  'unet-batch-12': {
    config: small({ kind: 'unet', downs: 5, norm: 'batch' }),
    opset: 12,
    dynamic: false,
    shape: [1, 3, 64, 96],
  },
  'unet-15': { config: small({ kind: 'unet', downs: 5 }), opset: 15, dynamic: true, shape: [2, 3, 64, 96] },
};
const sizes = { resnet: { sizeMultiple: 4, minSize: 8 }, unet: { sizeMultiple: 32, minSize: 32 } };

test('ONNX files of PyTorch’s exporter', async (context) => {
  if (!(await pythonHas('torch'))) {
    const message = skipMessage("bundles from PyTorch's own ONNX files", 'torch');
    console.warn(message);
    context.skip(message);
  }
  const dir = temporaryFolder();
  const { status, stderr } = await python('generators_onnx.py', [dir, JSON.stringify(cases)]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  for (const [name, { config }] of Object.entries(cases)) {
    const source = join(dir, `${name}.onnx`);
    const { bundle, manifest } = await exportBundle({ source, out: join(dir, name) });
    expect(manifest.models[0]).toMatchObject(sizes[config.kind]);
    expect(manifest.networks.generator).toBeNull();
    const { rows } = await verifyBundle({ bundle, source, devices: [] });
    expect(rows.filter(({ ok }) => !ok)).toEqual([]);
    expect(rows.map(({ comparison }) => comparison)).toContain('source against its imported graph');
  }
});
