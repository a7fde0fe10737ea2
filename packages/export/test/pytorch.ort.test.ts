/** Files of real PyTorch: every kind of network, container and dtype, found again and answering as PyTorch did. */
import { expect, test } from 'vitest';
import { expectCase, fixtures, readCases } from './pytorch-cases.ts';

const cases = await readCases(fixtures);

test.each(cases)('$name', expectCase);

test('all kinds are there', () => {
  expect(cases.length).toBeGreaterThanOrEqual(20);
});
