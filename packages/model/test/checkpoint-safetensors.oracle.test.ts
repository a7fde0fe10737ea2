/** The safetensors package of Python reads our files and we read its: the same tensors, the same metadata. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSafetensors, type StoredTensor, writeSafetensors } from '@cyclegan/model';
import { expect, test } from 'vitest';
import { python, pythonHas, skipMessage } from '../../../test/oracles/python.ts';

test('both ways through the safetensors package', async (context) => {
  if (!(await pythonHas('safetensors.numpy'))) {
    const message = skipMessage('files against the safetensors package', 'safetensors');
    console.warn(message);
    context.skip(message);
  }
  const folder = await mkdtemp(join(tmpdir(), 'safetensors-'));
  const [ours, theirs] = [join(folder, 'ours.safetensors'), join(folder, 'theirs.safetensors')];
  const tensors = new Map<string, StoredTensor>([
    [
      'G_A.model.1.weight',
      { dtype: 'F32', shape: [2, 1, 2], data: Float32Array.of(1, -0.5, 3e-38, 2 ** 24) },
    ],
    ['bytes', { dtype: 'U8', shape: [3], data: Uint8Array.of(0, 7, 255) }],
    ['é "quoted"', { dtype: 'I32', shape: [2, 1], data: Int32Array.of(-1, 2 ** 31 - 1) }],
    ['half', { dtype: 'F16', shape: [2], data: Uint16Array.of(0x3c00, 0xc000) }],
    ['scalar', { dtype: 'F32', shape: [], data: Float32Array.of(4) }],
    ['empty', { dtype: 'F32', shape: [0, 3], data: new Float32Array(0) }],
  ]);
  const metadata = { networks: '{"ngf":4}', note: 'ü' };
  await writeSafetensors(ours, tensors, metadata);
  const { status, stdout, stderr } = await python('safetensors_check.py', [ours, theirs]);
  expect(stderr).toBe('');
  expect(status).toBe(0);
  const values = (tensor: StoredTensor) => (tensor.dtype === 'F16' ? [1, -2] : [...tensor.data]);
  const names = { F32: 'float32', F16: 'float16', I32: 'int32', U8: 'uint8' };
  expect(JSON.parse(stdout)).toEqual({
    metadata,
    tensors: Object.fromEntries(
      [...tensors].map(([name, tensor]) => [name, [names[tensor.dtype], tensor.shape, values(tensor)]]),
    ),
  });
  const back = await readSafetensors(theirs);
  expect(new Map([...back.tensors].sort())).toEqual(new Map([...tensors].sort()));
  expect(back.metadata).toEqual(metadata);
  await rm(folder, { recursive: true });
});
