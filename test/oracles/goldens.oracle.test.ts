/** The committed goldens are what PyTorch makes today: regenerated in memory and compared. */
import { readdirSync } from 'node:fs';
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
  const kept = readdirSync(new URL('../goldens', import.meta.url)).filter((name) =>
    name.endsWith('.safetensors'),
  );
  expect(stdout).toMatch(new RegExp(`^${kept.length} goldens agree with torch `));
  expect(status).toBe(0);
});
