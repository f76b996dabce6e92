import { beforeAll, describe, expect, inject, it } from 'vitest';
import { apply, create, denialOf, expectAdmitted, must } from './objects/kubectl-objects.ts';
import { apiVersion, signedBy } from './objects/policy.ts';
import { pod, podSpec, templated } from './objects/pod.ts';
import { openScene } from './world/scene.ts';
import type { Scene } from './world/scene.ts';
import { sampleRegistry } from './world/sample-registry.ts';
import { suiteStack } from './world/suite-stack.ts';
import { releaseKey } from './world/trust.ts';

const { kubeconfigPath, webhookHost } = inject('world');
const { host, images } = sampleRegistry();
const unsigned = images['unsigned'].tagged;
const signed = images['signed-bundle'].tagged;
const namespace = 'threats';

const stack = suiteStack();
let scene: Scene;
beforeAll(async () => {
  scene = await openScene(stack, { kubeconfigPath, webhookHost, hosts: [host] });
  await scene.guard(namespace, { require: [signedBy(releaseKey)] }, unsigned);
});

describe('T04 an owner', () => {
  it('of a Pod, real or claimed, proves nothing', async () => {
    // A template that is not judged, so that its ReplicaSet stands there.
    const set = templated('ReplicaSet', namespace, 'owner', podSpec(signed)) as { spec: object };
    expectAdmitted(await create(scene.kubectl, { ...set, spec: { ...set.spec, replicas: 0 } }));
    const uid = await must(scene.kubectl, [
      'get',
      'replicaset',
      'owner',
      `--namespace=${namespace}`,
      '--output=jsonpath={.metadata.uid}',
    ]);
    const owned = (owner: object): object => ({
      ...pod(namespace, podSpec(unsigned)),
      metadata: {
        namespace,
        generateName: 'owned-',
        labels: { app: 'owner', 'pod-template-hash': '6c' },
        ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', controller: true, ...owner }],
      },
    });
    for (const owner of [
      { name: 'owner', uid },
      { name: 'gone', uid: '00000000-0000-0000-0000-000000000000' },
      { kind: 'DaemonSet', name: 'kube-proxy', uid },
    ]) {
      expect(denialOf(await create(scene.kubectl, owned(owner)))).toContain('SignatureMissing');
    }
  });

  it('nor does what a Pod says of itself', async () => {
    const annotations = {
      'refwarden.dev/pinned-from': '{}',
      'refwarden.dev/verified': 'true',
      'kubernetes.io/config.source': 'file',
      'kubernetes.io/config.mirror': 'x',
    };
    // A mirror Pod names its node; the kubelet alone makes real ones.
    const spec = podSpec(unsigned, { nodeName: 'somewhere' });
    const claiming = { ...pod(namespace, spec), metadata: { namespace, generateName: 'a-', annotations } };
    expect(denialOf(await create(scene.kubectl, claiming))).toContain('SignatureMissing');
  });
});

describe('T24 a policy of a namespace', () => {
  const own = (name: string, spec: object, of = namespace): object => ({
    apiVersion,
    kind: 'ArtifactPolicy',
    metadata: { name, namespace: of },
    spec: { images: ['**'], ...spec },
  });

  it('relaxes no policy of the cluster, whatever it is called or asks', async () => {
    await apply(scene.kubectl, [
      own(namespace, { mode: 'Audit', require: [signedBy(releaseKey)] }),
      own('relaxed', { mode: 'Warn', onInconclusive: 'Admit', require: [{ name: 'any', pinned: true }] }),
    ]);
    await scene.awaitAnswer(namespace, unsigned, 'they are known', ({ stderr }) =>
      stderr.includes('SignatureMissing'),
    );
    expect(denialOf(await scene.runPod(namespace, unsigned))).toContain(`policy ${namespace} (signed)`);
  });

  it('adds to them, in its namespace alone', async () => {
    await scene.addNamespace('neighbour');
    await apply(scene.kubectl, own('strict', { require: [signedBy(releaseKey)] }, 'neighbour'));
    await scene.awaitAnswer('neighbour', unsigned, 'it is in force', ({ stderr }) =>
      stderr.includes('policy neighbour/strict (signed)'),
    );
    await scene.addNamespace('bystander');
    expectAdmitted(await scene.runPod('bystander', unsigned));
  });

  it('can select no namespaces, and read no trust of its own', async () => {
    for (const [field, value] of [
      ['namespaces', { matchLabels: {} }],
      ['trustedRoot', { configMap: { name: 'own' } }],
    ] as const) {
      const strict = await create(
        scene.kubectl,
        own('reaching', { require: [signedBy(releaseKey)], [field]: value }),
        '--validate=strict',
        '--dry-run=server',
      );
      expect(strict.code).toBe(1);
      expect(strict.stderr).toContain(`unknown field "spec.${field}"`);
    }
  });
});
