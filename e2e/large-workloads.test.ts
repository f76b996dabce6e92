import { beforeAll, describe, expect, inject, it } from 'vitest';
import { create, denialOf, expectAdmitted, must } from './objects/kubectl-objects.ts';
import { templated } from './objects/pod.ts';
import { signedBy } from './objects/policy.ts';
import { openScene } from './world/scene.ts';
import type { Scene } from './world/scene.ts';
import { sampleRegistry } from './world/sample-registry.ts';
import { suiteStack } from './world/suite-stack.ts';
import { releaseKey } from './world/trust.ts';

const { kubeconfigPath, webhookHost } = inject('world');
const { host, images } = sampleRegistry();
const namespace = 'large-workloads';
const stack = suiteStack();
let scene: Scene;

beforeAll(async () => {
  scene = await openScene(stack, { kubeconfigPath, webhookHost, hosts: [host] });
  await scene.guard(namespace, { require: [signedBy(releaseKey)] }, images.unsigned.tagged);
});

const deployment = (image: string, variables: number): object => {
  const env = Array.from({ length: variables }, (_, i) => ({ name: `E${i}`, value: 'v' }));
  const containers = Array.from({ length: 26 }, (_, i) => ({ name: `c${i}`, image, env }));
  return templated('Deployment', namespace, `with-${variables}`, { containers });
};

describe('a Deployment of thousands of variables, which two managers own', () => {
  it.each([60, 200])('of %d in each container is updated, and judged', async (variables) => {
    const apply = (image: string, manager: string): ReturnType<Scene['kubectl']> =>
      scene.kubectl(
        ['apply', '--server-side', '--force-conflicts', `--field-manager=${manager}`, '--filename=-'],
        JSON.stringify(deployment(image, variables)),
      );
    for (const manager of ['gitops', 'helm']) {
      expect((await apply(images['signed-bundle'].tagged, manager)).stderr).toBe('');
    }
    expect(denialOf(await apply(images.unsigned.tagged, 'gitops'))).toContain('SignatureMissing');
    expectAdmitted(await create(scene.kubectl, deployment(images['signed-bundle'].tagged, variables + 1)));
    await must(scene.kubectl, ['delete', 'deployments', '--all', `--namespace=${namespace}`, '--wait=false']);
  });
});
