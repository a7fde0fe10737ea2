/** Files that the PyTorch of this machine writes now, and answers now; PYTHON names another one. */
import { expect, test } from 'vitest';
import { python, pythonHas, skipMessage } from '../../../test/oracles/python.ts';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';
import { expectCase, readCases } from './pytorch-cases.ts';

test('imports agree with the PyTorch that wrote the files', async (context) => {
  if (!(await pythonHas('torch'))) {
    const message = skipMessage('imports against PyTorch', 'torch');
    console.warn(message);
    context.skip(message);
  }
  const folder = temporaryFolder();
  const { status, stderr } = await python('make_pytorch_fixtures.py', ['--out', folder]);
  expect(stderr).toBe('');
  expect(status).toBe(0);
  const cases = await readCases(folder);
  expect(cases.length).toBeGreaterThanOrEqual(20);
  for (const each of cases) await expectCase(each);
});
