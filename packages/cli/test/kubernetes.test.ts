/** deploy/kubernetes against the types of Kubernetes and KEDA, and against what it must say to be safe. */
import { readFileSync } from 'node:fs';
import { ScaledObject } from '@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject';
import { TriggerAuthentication } from '@kubernetes-models/keda/keda.sh/v1alpha1/TriggerAuthentication';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { StatefulSet } from 'kubernetes-models/apps/v1/StatefulSet';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { Namespace } from 'kubernetes-models/v1/Namespace';
import { Service } from 'kubernetes-models/v1/Service';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { kubernetesFolder, kubernetesResources, resource } from './support/kubernetes.ts';

const models = {
  Deployment,
  StatefulSet,
  NetworkPolicy,
  Namespace,
  Service,
  ScaledObject,
  TriggerAuthentication,
};

test('every resource is what its kind wants', () => {
  const resources = kubernetesResources();
  expect(resources.map(({ kind }) => kind).sort()).toEqual(Object.keys(models).sort());
  for (const { kind, document } of resources) {
    const Model = Object.entries(models).find(([name]) => name === kind)?.[1];
    expect(Model, kind).toBeDefined();
    if (Model) expect(() => new Model(document.toJS()).validate(), kind).not.toThrow();
  }
});

test('the validator sees what is wrong', () => {
  const broken = resource('Deployment', 'worker').document.clone();
  broken.setIn(['spec', 'template', 'spec', 'containers', 0, 'image'], 7);
  expect(() => new Deployment(broken.toJS()).validate()).toThrow();
});

test('the kustomization names every file, and the image that the worker has', () => {
  const kustomization = parse(readFileSync(`${kubernetesFolder}kustomization.yaml`, 'utf8'));
  const files = new Set(kubernetesResources().map(({ file }) => file));
  expect([...kustomization.resources].sort()).toEqual([...files].sort());
  const worker = resource('Deployment', 'worker').document;
  expect(worker.getIn(['spec', 'template', 'spec', 'containers', 0, 'image'])).toBe(
    kustomization.images[0].name,
  );
});

test.each([
  ['Deployment', 'worker'],
  ['StatefulSet', 'redis'],
])('%s %s runs without rights', (kind, name) => {
  const pod = resource(kind, name).document.getIn(['spec', 'template', 'spec'], true);
  const plain = JSON.parse(JSON.stringify(pod));
  expect(plain.automountServiceAccountToken).toBe(false);
  expect(plain.securityContext).toMatchObject({
    runAsNonRoot: true,
    seccompProfile: { type: 'RuntimeDefault' },
  });
  for (const { securityContext, resources } of plain.containers) {
    expect(securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(resources).toMatchObject({
      requests: { cpu: expect.anything() },
      limits: { memory: expect.anything() },
    });
  }
});

test('a worker has time to stop, and the disruption of one takes no work along', () => {
  const spec = resource('Deployment', 'worker').document.getIn(['spec', 'template', 'spec'], true);
  const { terminationGracePeriodSeconds, containers } = JSON.parse(JSON.stringify(spec));
  const [, timeout] = /--shutdown-timeout=(\d+)/.exec(containers[0].args.join(' ')) ?? [];
  expect(terminationGracePeriodSeconds).toBeGreaterThan(Number(timeout) + 30);
});
