/** deploy/kubernetes against Kubernetes' own schemas, strictly: a field that no schema has is refused. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { python, pythonWith, skipMessage } from '../../../test/oracles/python.ts';
import { kubernetesResources } from './support/kubernetes.ts';
import { temporaryFolder } from './support/run-cli.ts';

const by = await pythonWith('kubernetes_validate');
if (!by) console.warn(skipMessage("Kubernetes' schemas", 'kubernetes_validate'));

async function validate(text: string) {
  const file = join(temporaryFolder(), 'resource.yaml');
  writeFileSync(file, text);
  return python('kubernetes_strict.py', [file], by);
}

test.skipIf(!by)('every resource passes, and one with a slip does not', { timeout: 120_000 }, async () => {
  // KEDA's kinds are not Kubernetes' own; its package's types check them elsewhere.
  const own = kubernetesResources().filter(
    ({ document }) => !String(document.get('apiVersion')).startsWith('keda'),
  );
  expect(own).toHaveLength(5);
  const all = own.map(({ document }) => JSON.stringify(document)).join('\n---\n');
  expect(await validate(all)).toEqual({ status: 0, stdout: '5 valid\n', stderr: '' });
  const slip = await validate(all.replace('terminationGracePeriodSeconds', 'terminationGraceSeconds'));
  expect(slip.status).toBe(1);
  expect(slip.stderr).toContain('terminationGraceSeconds');
});
