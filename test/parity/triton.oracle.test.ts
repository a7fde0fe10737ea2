/** The Triton repository that export writes, read by Triton's own schema: names of fields and their types. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { exportBundle } from '@cyclegan/export';
import { expect, test } from 'vitest';
import { python, pythonWith, skipMessage } from '../oracles/python.ts';
import { makeRun } from '../support/make-bundle.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('every config.pbtxt is a ModelConfig, and means what it should', async (context) => {
  const interpreter = await pythonWith('tritonclient');
  if (interpreter === undefined) {
    const message = skipMessage("Triton's schema over every config.pbtxt", 'tritonclient');
    console.warn(message);
    context.skip(message);
    return;
  }
  const dir = temporaryFolder();
  await mkdir(join(dir, 'runs'));
  const { run } = await makeRun({ run: join(dir, 'runs', 'a "quoted" näme') });
  const { triton } = await exportBundle({
    source: run,
    out: join(dir, 'bundle'),
    direction: 'AtoB',
    tiles: true,
    io: 'rgba8',
    size: { width: 32, height: 16 },
    triton: join(dir, 'models'),
  });
  const configs = triton.map((folder) => join(folder, 'config.pbtxt'));
  const { status, stdout, stderr } = await python('check_triton.py', configs, interpreter);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const read = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const [fp32, rgba8, statistics, tile] = read;
  const name = 'a__quoted__n_me_AtoB_fp32';
  expect(fp32).toEqual({
    name,
    backend: 'onnxruntime',
    default_model_filename: 'model.onnx',
    max_batch_size: 8,
    input: [{ name: 'image', data_type: 'TYPE_FP32', dims: ['3', '-1', '-1'] }],
    output: [{ name: 'translation', data_type: 'TYPE_FP32', dims: ['3', '-1', '-1'] }],
    dynamic_batching: { preferred_batch_size: [4, 8], max_queue_delay_microseconds: '2000' },
    instance_group: [{ count: 1 }],
    version_policy: { latest: { num_versions: 1 } },
  });
  expect(rgba8).toMatchObject({
    name: `${name}_rgba8_32x16`,
    input: [{ data_type: 'TYPE_UINT8', dims: ['1', '16', '32', '4'] }],
  });
  expect(rgba8).not.toHaveProperty('dynamic_batching');
  expect(statistics.input).toMatchObject([
    { name: 'image' },
    { name: 'correction', dims: statistics.output[0].dims },
  ]);
  expect(statistics.output).toMatchObject([
    { name: 'statistics', dims: ['2', expect.stringMatching(/^\d+$/)] },
  ]);
  expect(tile.input).toMatchObject([
    { name: 'image' },
    { name: 'statistics', dims: ['-1', ...statistics.output[0].dims] },
    // Of no sample alone: so that tiles are not batched.
    { name: 'core', dims: ['1', '1', '4'] },
  ]);
  expect(tile).not.toHaveProperty('dynamic_batching');
});
