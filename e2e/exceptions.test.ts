import { beforeAll, describe, expect, inject, it } from 'vitest';
import { apply, create, denialOf, expectAdmitted, must } from './objects/kubectl-objects.ts';
import { apiVersion, signedBy } from './objects/policy.ts';
import { pod, podSpec, templated } from './objects/pod.ts';
import type { CommandResult } from './processes/run-command.ts';
import { openScene } from './world/scene.ts';
import type { Scene } from './world/scene.ts';
import { sampleRegistry } from './world/sample-registry.ts';
import { suiteStack } from './world/suite-stack.ts';
import { releaseKey } from './world/trust.ts';

const { kubeconfigPath, webhookHost } = inject('world');
const { host, images } = sampleRegistry();
const { tagged: unsigned, pinned: byDigest } = images['unsigned'];
const namespace = 'excepted';
const name = 'e2e-hotfix';

const stack = suiteStack();
let scene: Scene;

beforeAll(async () => {
  scene = await openScene(stack, { kubeconfigPath, webhookHost, hosts: [host] });
  await scene.guard(namespace, { workloads: 'All', require: [signedBy(releaseKey)] }, unsigned);
  stack.defer(async () => {
    await must(scene.kubectl, ['delete', 'artifactpolicyexception', name, '--ignore-not-found']);
  });
});

const inSeconds = (seconds: number): string =>
  `${new Date(Date.now() + seconds * 1000).toISOString().slice(0, 19)}Z`;

const exception = (spec: object = {}): object => ({
  apiVersion,
  kind: 'ArtifactPolicyException',
  metadata: { name },
  spec: {
    images: [byDigest],
    namespaces: [namespace],
    policies: [{ name: namespace, requirements: ['All'] }],
    reason: 'INC-4711',
    expiresAt: inSeconds(3600),
    ...spec,
  },
});

const awaitAdmitted = (): Promise<void> =>
  scene.awaitAnswer(namespace, unsigned, 'the exception is in force', ({ code }) => code === 0);
const awaitDenied = (): Promise<void> =>
  scene.awaitAnswer(namespace, unsigned, 'no exception is in force', ({ stderr }) =>
    stderr.includes('SignatureMissing'),
  );

describe('T23 an exception', () => {
  it('by digest has Pods and templates admitted without a word, and nothing else', async () => {
    await apply(scene.kubectl, exception());
    await awaitAdmitted();
    expectAdmitted(await scene.runPod(namespace, unsigned));
    const deployment = (image: string): Promise<CommandResult> =>
      create(
        scene.kubectl,
        templated('Deployment', namespace, 'excepted', podSpec(image)),
        '--dry-run=server',
      );
    expectAdmitted(await deployment(unsigned));
    const stranger = images['signed-by-stranger'].tagged;
    expect(denialOf(await scene.runPod(namespace, stranger))).toContain('SignerNotTrusted');
    const both = pod(namespace, {
      ...podSpec(unsigned),
      containers: [unsigned, stranger].map((image, i) => ({ name: `c${i}`, image })),
    });
    expect(denialOf(await create(scene.kubectl, both))).toContain('2 images, 1 not admitted');
  });

  it('does not reach a namespace that carries the same labels', async () => {
    await scene.addNamespace('excepted-too');
    await must(scene.kubectl, [
      'label',
      'namespace',
      'excepted-too',
      '--overwrite',
      `e2e.refwarden.dev/guarded-by=${namespace}`,
    ]);
    await scene.awaitAnswer('excepted-too', unsigned, 'the label is seen', ({ stderr }) =>
      stderr.includes('SignatureMissing'),
    );
  });

  it('that is narrowed to another image no longer counts', async () => {
    await apply(scene.kubectl, exception({ images: [images['signed-bundle'].tagged] }));
    await awaitDenied();
  });

  it('by tag is followed with a warning', async () => {
    await apply(scene.kubectl, exception({ images: [unsigned] }));
    await awaitAdmitted();
    const { code, stderr } = await scene.runPod(namespace, unsigned);
    expect(code).toBe(0);
    expect(stderr).toBe(
      `Warning: ExceptedByTag ${unsigned}: exception ${name} names no digest, so whatever the tag means next is excepted, too.\n`,
    );
  });

  it('ends at its time', async () => {
    await apply(scene.kubectl, exception({ expiresAt: inSeconds(6) }));
    await awaitAdmitted();
    await awaitDenied();
  });

  it.each([
    ['without an end', { expiresAt: undefined }, 'spec.expiresAt: Required value'],
    ['without a reason', { reason: '' }, 'spec.reason'],
    ['for whatever runs', { images: ['**'] }, 'images must name their host'],
    ['for images of any host', { images: ['*/**'] }, 'images must name their host'],
    ['for images of several hosts', { images: ['*.example/app'] }, 'images must name their host'],
    ['from no requirement', { policies: [{ name: namespace }] }, 'requirements: Required value'],
    [
      'whose requirements were left empty',
      { policies: [{ name: namespace, requirements: null }] },
      'requirements: Required value',
    ],
    ['for namespaces by label', { namespaces: { matchLabels: {} } }, 'spec.namespaces'],
    ['with an end that is no time', { expiresAt: 'tomorrow' }, 'spec.expiresAt'],
  ])('%s is refused by the API server itself', async (_what, spec, message) => {
    const { code, stderr } = await scene.kubectl(
      ['create', '--dry-run=server', '-f', '-'],
      JSON.stringify({ ...exception(spec), metadata: { name: 'e2e-refused' } }),
    );
    expect(code).not.toBe(0);
    expect(stderr).toContain(message);
  });

  it('is written by nobody who may write ArtifactPolicies only', async () => {
    const answer = await scene.kubectl([
      'auth',
      'can-i',
      'create',
      'artifactpolicyexceptions',
      '--as=tenant',
    ]);
    expect(answer.stdout.trim()).toBe('no');
  });
});
