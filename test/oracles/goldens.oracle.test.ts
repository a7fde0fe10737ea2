/** The committed goldens are what PyTorch makes today: regenerated in memory and compared. */
import { expect, test } from 'vitest';
import { python, pythonHas, skipMessage } from './python.ts';

test('goldens agree with PyTorch', async (context) => {
  if (!(await pythonHas('torch'))) {
    const message = skipMessage('goldens against PyTorch', 'torch');
    console.warn(message);
    context.skip(message);
  }
  const { status, stdout, stderr } = await python('make_goldens.py', ['--check']);
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^5 goldens agree with torch /);
  expect(status).toBe(0);
});
