import { beforeAll, describe, expect, inject, it } from 'vitest';
import { create, denialOf, expectAdmitted, must } from './objects/kubectl-objects.ts';
import { signedBy } from './objects/policy.ts';
import { pod, podSpec, templated } from './objects/pod.ts';
import { waitUntil } from './processes/wait-until.ts';
import { openScene } from './world/scene.ts';
import type { Scene } from './world/scene.ts';
import { sampleRegistry } from './world/sample-registry.ts';
import { suiteStack } from './world/suite-stack.ts';
import { releaseKey } from './world/trust.ts';

const { kubeconfigPath, webhookHost } = inject('world');
const { host, images } = sampleRegistry();
const unsigned = images['unsigned'].tagged;
const { tagged: signed, pinned: byDigest } = images['signed-bundle'];
const pinned = `${signed}@${byDigest.split('@')[1] ?? ''}`;
const namespace = 'pinning';

const stack = suiteStack();
let scene: Scene;
beforeAll(async () => {
  scene = await openScene(stack, { kubeconfigPath, webhookHost, hosts: [host] });
  await scene.guard(namespace, { require: [signedBy(releaseKey)] }, unsigned);
});
const read = async (...args: string[]): Promise<string> =>
  must(scene.kubectl, ['get', '--namespace', namespace, ...args]);
const imageOf = (name: string): Promise<string> =>
  read('pod', name, '--output=jsonpath={.spec.containers[0].image}');
const reviews = async (): Promise<number> => {
  const counts = (await scene.webhook.metrics()).matchAll(/^refwarden_reviews_total\{.*\} (\d+)$/gm);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
};

describe('T01 a Pod', () => {
  it('runs the digest that was judged, and says what was written', async () => {
    expectAdmitted(await create(scene.kubectl, pod(namespace, podSpec(signed), 'app')));
    expect(await imageOf('app')).toBe(pinned);
    expect(
      await read(
        'pod',
        'app',
        String.raw`--output=jsonpath={.metadata.annotations.refwarden\.dev/pinned-from}`,
      ),
    ).toBe(JSON.stringify({ 'spec.containers[0].image': signed }));
  });

  it('that is applied again stays as it is', async () => {
    const manifest = JSON.stringify(pod(namespace, podSpec(signed), 'applied'));
    await must(scene.kubectl, ['apply', '-f', '-'], manifest);
    await must(scene.kubectl, ['apply', '-f', '-'], manifest);
    expect(await imageOf('applied')).toBe(pinned);
  });

  it('is named in a denial as it was written', async () => {
    const denial = denialOf(await scene.runPod(namespace, unsigned));
    expect(denial).toContain(`${unsigned} (${images['unsigned'].shortDigest}), container "app"`);
  });

  it('keeps its images pinned when it gets an ephemeral container', async () => {
    await must(scene.kubectl, [
      'debug',
      'app',
      '--namespace',
      namespace,
      '--attach=false',
      '--container=tools',
      `--image=${signed}`,
    ]);
    expect(await read('pod', 'app', '--output=jsonpath={.spec.ephemeralContainers[0].image}')).toBe(pinned);
  });

  it('whose labels change is not asked about', async () => {
    const before = await reviews();
    await must(scene.kubectl, ['label', 'pod', 'app', '--namespace', namespace, 'a=b']);
    expect(await reviews()).toBe(before);
  });
});

describe('a template', () => {
  it('stays as it was written, and its Pods are pinned', async () => {
    expectAdmitted(await create(scene.kubectl, templated('ReplicaSet', namespace, 'web', podSpec(signed))));
    expect(
      await read('replicaset', 'web', '--output=jsonpath={.spec.template.spec.containers[0].image}'),
    ).toBe(signed);
    const image = await waitUntil(
      async () => {
        const found = await read(
          'pods',
          '--selector=app=web',
          '--output=jsonpath={.items[*].spec.containers[0].image}',
        );
        return found === '' ? undefined : found;
      },
      { what: 'the ReplicaSet has a Pod', timeoutMs: 30_000 },
    );
    expect(image).toBe(pinned);
  });
});

describe('T01 without the mutating webhook', () => {
  it('no Pod is admitted by tag', async () => {
    await must(scene.kubectl, ['delete', 'mutatingwebhookconfiguration', 'refwarden']);
    await scene.awaitAnswer(namespace, signed, 'tags are refused', ({ stderr }) =>
      stderr.includes(`ImageNotPinned: policy ${namespace} (pinning)`),
    );
    expectAdmitted(await scene.runPod(namespace, byDigest));
  });
});
