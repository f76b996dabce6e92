import { beforeAll, describe, expect, inject, it } from 'vitest';
import { create, denialOf, expectAdmitted } from './objects/kubectl-objects.ts';
import { signedBy } from './objects/policy.ts';
import { pod, podSpec, templated } from './objects/pod.ts';
import type { TemplateKind } from './objects/pod.ts';
import { openScene } from './world/scene.ts';
import type { Scene } from './world/scene.ts';
import { sampleRegistry } from './world/sample-registry.ts';
import { suiteStack } from './world/suite-stack.ts';
import { releaseKey } from './world/trust.ts';

const { kubeconfigPath, webhookHost } = inject('world');
const { host, images } = sampleRegistry();
const unsigned = images['unsigned'].tagged;
const signed = images['signed-bundle'].tagged;
const namespace = 'workloads';

const stack = suiteStack();
let scene: Scene;
beforeAll(async () => {
  scene = await openScene(stack, { kubeconfigPath, webhookHost, hosts: [host] });
  await scene.guard(namespace, { require: [signedBy(releaseKey)] }, unsigned);
});

describe('pod templates', () => {
  const kinds: readonly TemplateKind[] = [
    ...(['Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet', 'Job', 'CronJob'] as const),
    ...(['ReplicationController', 'PodTemplate'] as const),
  ];
  it.each(kinds)('T03 a %s is judged by its template', async (kind) => {
    const name = kind.toLowerCase();
    const denial = denialOf(await create(scene.kubectl, templated(kind, namespace, name, podSpec(unsigned))));
    expect(denial).toContain(
      `${unsigned} (${images['unsigned'].shortDigest}), container "app"\n  SignatureMissing: `,
    );
    expectAdmitted(await create(scene.kubectl, templated(kind, namespace, name, podSpec(signed))));
  });
});

describe('fields of a pod', () => {
  it.each([
    {
      field: 'an init container',
      spec: podSpec(signed, { initContainers: [{ name: 'prepare', image: unsigned }] }),
      place: 'init container "prepare"',
    },
    {
      field: 'an image volume',
      spec: podSpec(signed, { volumes: [{ name: 'data', image: { reference: unsigned } }] }),
      place: 'image volume "data"',
    },
    {
      field: 'a second container',
      spec: {
        containers: [
          { name: 'app', image: signed },
          { name: 'side', image: unsigned },
        ],
      },
      place: 'container "side"',
    },
  ])('T03 $field is judged', async ({ spec, place }) => {
    const denial = denialOf(await create(scene.kubectl, pod(namespace, spec)));
    expect(denial).toMatch(/^2 images, 1 not admitted\n/);
    expect(denial).toContain(
      `${unsigned} (${images['unsigned'].shortDigest}), ${place}\n  SignatureMissing: `,
    );
  });

  it('T02 an ephemeral container is judged', async () => {
    expectAdmitted(await create(scene.kubectl, pod(namespace, podSpec(signed), 'debugged')));
    const debug = (container: string, image: string): ReturnType<Scene['kubectl']> =>
      scene.kubectl([
        'debug',
        'debugged',
        '--namespace',
        namespace,
        '--attach=false',
        `--container=${container}`,
        `--image=${image}`,
      ]);
    const denial = denialOf(await debug('snoop', unsigned));
    expect(denial).toContain(
      `${unsigned} (${images['unsigned'].shortDigest}), ephemeral container "snoop"\n  SignatureMissing: `,
    );
    expect(await debug('tools', images['signed-legacy'].tagged)).toMatchObject({ code: 0 });
  });
});

describe('names', () => {
  it('an image that does not exist is inconclusive, not admitted', async () => {
    const denial = denialOf(await scene.runPod(namespace, `${host}/e2e/unsigned:no-such-tag`));
    expect(denial).toContain(`ImageNotFound: policy ${namespace} (signed)`);
  });

  it('a digest beside a tag is what is judged', async () => {
    const [repository = '', digest = ''] = images['signed-bundle'].pinned.split('@');
    expectAdmitted(await scene.runPod(namespace, `${repository}:no-such-tag@${digest}`));
  });
});
