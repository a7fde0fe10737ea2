/**
 * Files of PyTorch's exporters, made by test/oracles/export_onnx.py with sizes left open (opset 18 by the newer exporter
 * of PyTorch 2.15, the older ones by PyTorch 1.13), answer as before when they are read and written.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatShape, readOnnx } from '@cyclegan/graph';
import { expect, it, test } from 'vitest';
import { expectSameAsFile } from './exported-model.ts';

const folder = fileURLToPath(new URL('../../../test/fixtures/onnx', import.meta.url));
const read = (file: string) => readFileSync(join(folder, file));

it.each(readdirSync(folder))('%s', async (file) => {
  expect(await expectSameAsFile(read(file), file)).toBeGreaterThanOrEqual(2);
});

test('sizes that a file promises to be multiples make its output equal its input', () => {
  const outputOf = (file: string, unit: number) => {
    const { graph } = readOnnx(read(file), { units: { H: unit, W: unit } });
    return formatShape(graph.outputs[0]?.value.shape ?? []);
  };
  expect(outputOf('resnet_batch.9.onnx', 1)).toBe('[N, 3, 2*floor((H+1)/2), 2*floor((W+1)/2)]');
  expect(outputOf('resnet_batch.9.onnx', 2)).toBe('[N, 3, H, W]');
  expect(outputOf('interpolate_nearest.9.onnx', 2)).toBe('[N, 3, H, W]');
});

test('the exporter is kept', () => {
  const { producer, opset, irVersion } = readOnnx(read('unet.18.onnx'));
  expect({ producer: producer.name, opset, irVersion }).toEqual({
    producer: 'pytorch',
    opset: 18,
    irVersion: 10,
  });
});
