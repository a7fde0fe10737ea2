/** Generators that the PyTorch of this machine exports now, in the opsets that people have; PYTHON names another one. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { python, pythonHas, skipMessage } from '../../../test/oracles/python.ts';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';
import { expectSameAsFile } from './exported-model.ts';

test('exported models answer as before when they are read and written', async (context) => {
  if (!(await pythonHas('torch, onnx'))) {
    const message = skipMessage('models exported by PyTorch', 'torch and onnx');
    console.warn(message);
    context.skip(message);
  }
  const folder = temporaryFolder();
  const { status, stderr } = await python('export_onnx.py', ['--out', folder, '--opsets', '9,11,13,17']);
  expect(status, stderr).toBe(0);
  const files = readdirSync(folder);
  expect(files.length).toBeGreaterThan(70);
  for (const file of files) await expectSameAsFile(readFileSync(join(folder, file)), file);
}, 300_000);
