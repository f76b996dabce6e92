import { beforeAll, describe, expect, inject, it } from 'vitest';
import { denialOf, expectAdmitted, must } from './objects/kubectl-objects.ts';
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
const signed = images['signed-bundle'].tagged;
const pinned = `${signed}@${images['signed-bundle'].pinned.split('@')[1] ?? ''}`;
const namespace = 'updates';
const controllerTimeoutMs = 30_000;

const stack = suiteStack();
let scene: Scene;
/** Everything in it ran before there was a policy. */
beforeAll(async () => {
  scene = await openScene(stack, { kubeconfigPath, webhookHost, hosts: [host] });
  await scene.addNamespace(namespace);
  await must(
    scene.kubectl,
    ['create', '-f', '-'],
    list([
      templated('Deployment', namespace, 'shop', podSpec(unsigned)),
      templated('Job', namespace, 'once', podSpec(unsigned)),
      pod(namespace, podSpec(unsigned), 'single'),
      {
        ...pod(namespace, podSpec(unsigned)),
        metadata: { namespace, name: 'held', finalizers: ['e2e.refwarden.dev/hold'] },
      },
    ]),
  );
  await awaitOutput(
    'the Deployment has a pod',
    ['get', 'pods', '-l', 'app=shop', '-o', 'name'],
    /^pod\/shop-/,
  );
  await awaitOutput('the Job has a pod', ['get', 'pods', '-l', 'job-name=once', '-o', 'name'], /^pod\/once-/);
  await scene.applyPolicy(namespace, { require: [signedBy(releaseKey)] });
  await scene.awaitAnswer(namespace, unsigned, 'the policy is in force', ({ stderr }) =>
    stderr.includes('SignatureMissing'),
  );
});

describe('a Deployment older than the policy', () => {
  it('is scaled, and only its new pods are denied', async () => {
    expectAdmitted(await inNamespace('scale', 'deployment/shop', '--replicas=3'));
    await awaitOutput(
      'the ReplicaSet is scaled',
      ['get', 'replicasets', '-l', 'app=shop', '-o', 'jsonpath={.items[*].spec.replicas}'],
      /^3$/,
    );
    await awaitOutput(
      'the new pods are denied',
      ['get', 'replicasets', '-l', 'app=shop', '-o', 'jsonpath={.items[*].status.conditions[*].message}'],
      /denied the request: .*SignatureMissing/s,
    );
    expect(await read('get', 'pods', '-l', 'app=shop', '-o', 'name')).toMatch(/^pod\/shop-\S+\n$/);
  });

  it('has its ReplicaSet replaced with other replicas, as the controller does', async () => {
    const name = (await read('get', 'replicasets', '-l', 'app=shop', '-o', 'name')).trim();
    const found = JSON.parse(await read('get', name, '-o', 'json')) as { spec: { replicas: number } };
    const result = await scene.kubectl(
      ['replace', '-f', '-', '--dry-run=server'],
      JSON.stringify({ ...found, spec: { ...found.spec, replicas: 0 } }),
    );
    expectAdmitted(result);
  });

  it('keeps its labels and annotations editable', async () => {
    expectAdmitted(await inNamespace('annotate', 'deployment/shop', 'note=changed'));
  });

  it('T05 gets no other image without a signature', async () => {
    const other = images['unsigned-too'];
    const denial = denialOf(await inNamespace('set', 'image', 'deployment/shop', `app=${other.tagged}`));
    expect(denial).toContain(`${other.tagged} (${other.shortDigest}), container "app"\n  SignatureMissing: `);
  });

  it('rolls over to a signed image, and its old ReplicaSet is scaled down', async () => {
    const old = (await read('get', 'replicasets', '-l', 'app=shop', '-o', 'name')).trim();
    expectAdmitted(
      await inNamespace(
        'patch',
        'deployment',
        'shop',
        '-p',
        '{"spec":{"strategy":{"type":"Recreate","rollingUpdate":null}}}',
      ),
    );
    expectAdmitted(await inNamespace('set', 'image', 'deployment/shop', `app=${signed}`));
    await awaitOutput(
      'the old ReplicaSet is empty',
      ['get', old, '-o', 'jsonpath={.spec.replicas}/{.status.replicas}'],
      /^0\/0?$/,
    );
    await awaitOutput(
      'pods with the signed image run',
      ['get', 'pods', '-l', 'app=shop', '-o', 'jsonpath={.items[*].spec.containers[0].image}'],
      new RegExp(`^${[pinned, pinned, pinned].join(' ')}$`),
    );
  });
});

describe('a Job older than the policy', () => {
  it('finishes: the finalizers of its pods are removed', async () => {
    const name = (await read('get', 'pods', '-l', 'job-name=once', '-o', 'name')).trim();
    expect(await read('get', name, '-o', 'jsonpath={.metadata.finalizers}')).toContain(
      'batch.kubernetes.io/job-tracking',
    );
    // There is no node to run it: what the kubelet would report.
    await read('patch', name, '--subresource=status', '-p', '{"status":{"phase":"Succeeded"}}');
    await read('wait', '--for=condition=Complete', 'job/once', `--timeout=${controllerTimeoutMs / 1000}s`);
    expect(await read('get', name, '-o', 'jsonpath={.metadata.finalizers}')).toBe('');
  });

  it('is cleaned up with its pods', async () => {
    expectAdmitted(await inNamespace('delete', 'job', 'once', '--cascade=foreground'));
    expect(await read('get', 'pods', '-l', 'job-name=once', '-o', 'name')).toBe('');
  });
});

describe('a Pod older than the policy', () => {
  it('T05 gets no other image without a signature', async () => {
    const other = images['unsigned-too'];
    const denial = denialOf(await inNamespace('set', 'image', 'pod/single', `app=${other.tagged}`));
    expect(denial).toContain(`${other.tagged} (${other.shortDigest}), container "app"\n  SignatureMissing: `);
  });

  it('loses its finalizers while it is being deleted', async () => {
    await read('delete', 'pod', 'held', '--wait=false', '--now');
    expectAdmitted(
      await inNamespace('patch', 'pod', 'held', '--type=merge', '-p', '{"metadata":{"finalizers":null}}'),
    );
    await read('wait', '--for=delete', 'pod/held', `--timeout=${controllerTimeoutMs / 1000}s`);
    expectAdmitted(await inNamespace('delete', 'pod', 'single', '--now'));
  });
});

function inNamespace(...args: string[]): ReturnType<Scene['kubectl']> {
  return scene.kubectl([...args, '--namespace', namespace]);
}

function read(...args: string[]): Promise<string> {
  return must(scene.kubectl, [...args, '--namespace', namespace]);
}

async function awaitOutput(what: string, args: readonly string[], wanted: RegExp): Promise<void> {
  let last = '';
  await waitUntil(
    async () => {
      last = await read(...args);
      return wanted.test(last) ? true : undefined;
    },
    { what, timeoutMs: controllerTimeoutMs },
  ).catch((cause: unknown) => {
    throw new Error(`${what}: ${last}`, { cause });
  });
}

function list(items: readonly object[]): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
}
