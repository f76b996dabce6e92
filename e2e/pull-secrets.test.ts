import { join } from 'node:path';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { keySigner } from './images/key-signer.ts';
import { pushImage } from './images/push-image.ts';
import { apply, create, denialOf, expectAdmitted, must } from './objects/kubectl-objects.ts';
import { signedBy } from './objects/policy.ts';
import { pod, podSpec, templated } from './objects/pod.ts';
import { pullSecret, registryAccount } from './objects/pull-secret.ts';
import type { CommandResult } from './processes/run-command.ts';
import { makeTemporaryDirectory } from './processes/temporary-directory.ts';
import { waitUntil } from './processes/wait-until.ts';
import { startDistribution } from './registries/distribution.ts';
import { makeCosign } from './tools/cosign.ts';
import { makeOras } from './tools/oras.ts';
import { releaseName } from './world/install-refwarden.ts';
import { openScene } from './world/scene.ts';
import type { Scene } from './world/scene.ts';
import { sampleRegistry } from './world/sample-registry.ts';
import { suiteStack } from './world/suite-stack.ts';
import { releaseKey } from './world/trust.ts';

const { kubeconfigPath, webhookHost, keysDirectory } = inject('world');
const { host, images } = sampleRegistry();
const namespace = 'pull-secrets';
const { password, htpasswd } = registryAccount;

const stack = suiteStack();
let scene: Scene;
let image: string;
let unsigned: string;
let registryHost: string;

beforeAll(async () => {
  const directory = await makeTemporaryDirectory('pull-secrets');
  stack.defer(() => directory.remove());
  const [cosign, oras] = await Promise.all([makeCosign(directory.path), makeOras(directory.path)]);
  const registry = await startDistribution();
  stack.defer(() => registry.stop());
  registryHost = registry.host;
  const push = (name: string): ReturnType<typeof pushImage> =>
    pushImage(oras, directory.path, `${registry.host}/e2e/${name}`, name);
  const [signed, plain] = [await push('private'), await push('plain')];
  await keySigner(cosign, join(keysDirectory, 'release.key')).sign(signed, 'Bundle');
  [image, unsigned] = [signed.tagged, plain.tagged];
  await registry.protect(htpasswd);
  scene = await openScene(stack, { kubeconfigPath, webhookHost, hosts: [host, registry.host] });
  await scene.guard(
    namespace,
    { workloads: 'All', require: [signedBy(releaseKey)] },
    images['unsigned'].tagged,
  );
  await apply(scene.kubectl, [
    dockerSecret('regcred', registry.host),
    dockerSecret('elsewhere', 'registry.example'),
    { ...dockerSecret('opaque', registry.host), type: 'Opaque' },
  ]);
});

const dockerSecret = (name: string, server: string): object => pullSecret(namespace, name, server);
const withSecrets = (of: string, ...names: string[]): object => ({
  ...podSpec(of),
  imagePullSecrets: names.map((name) => ({ name })),
});
const run = (of: string, ...names: string[]): Promise<CommandResult> =>
  create(scene.kubectl, pod(namespace, withSecrets(of, ...names)), '--dry-run=server');

describe('an image in a private registry', () => {
  it('is judged with the pull secret of the Pod', async () => {
    expectAdmitted(await run(image, 'elsewhere', 'regcred'));
    expect(denialOf(await run(unsigned, 'regcred'))).toContain('SignatureMissing');
  });

  it('is judged with each of several secrets for its registry, until one is let in', async () => {
    const stale = pullSecret(namespace, 'stale', registryHost, 'outdated');
    await apply(scene.kubectl, stale);
    expectAdmitted(await run(image, 'stale', 'regcred'));
    expect(denialOf(await run(image, 'stale'))).toContain('The account is that of secret stale');
  });

  it('T31 is refused without one, and nothing that is said of it holds a secret', async () => {
    expect(denialOf(await run(image))).toContain('The workload names no pull secret.');
    const denial = denialOf(await run(image, 'elsewhere', 'absent', 'opaque'));
    expect(denial).toContain('RegistryUnauthorized');
    expect(denial).toContain(
      `Secret elsewhere in namespace ${namespace} has no entry for ${registryHost}; secret absent in namespace ${namespace} does not exist; secret opaque in namespace ${namespace} is of no type that holds credentials of registries.`,
    );
    const said = [denial, scene.webhook.logTail(), await scene.webhook.metrics()].join();
    for (const secret of [password, Buffer.from(`e2e:${password}`).toString('base64')]) {
      expect(said).not.toContain(secret);
    }
  });

  it('is judged in a template with the pull secret of its service account', async () => {
    const deployment = (name: string): Promise<CommandResult> =>
      create(scene.kubectl, templated('Deployment', namespace, name, podSpec(image)), '--dry-run=server');
    expect(denialOf(await deployment('before'))).toContain('The workload names no pull secret.');
    await must(scene.kubectl, [
      'patch',
      'serviceaccount',
      'default',
      '--namespace',
      namespace,
      '--patch={"imagePullSecrets":[{"name":"regcred"}]}',
    ]);
    await waitUntil(async () => ((await deployment('after')).code === 0 ? true : undefined), {
      what: 'the service account is read anew',
      timeoutMs: 45_000,
    });
    // The API server gives a Pod what its service account has.
    expectAdmitted(await run(image));
  });

  it('is refused where Refwarden may not read the secret, and the answer says so', async () => {
    const role = ['clusterrole', `${releaseName}-pull-secrets`];
    const before = await must(scene.kubectl, ['get', ...role, '--output=json']);
    await apply(scene.kubectl, dockerSecret('unread', registryHost));
    await must(scene.kubectl, ['patch', ...role, '--type=merge', '--patch={"rules":[]}']);
    try {
      expect(denialOf(await run(image, 'unread'))).toContain(
        `Secret unread in namespace ${namespace} may not be read by Refwarden`,
      );
      const template = { ...podSpec(image), serviceAccountName: 'unread' };
      const deployment = templated('Deployment', namespace, 'unread', template);
      expect(denialOf(await create(scene.kubectl, deployment, '--dry-run=server'))).toContain(
        `Service account unread in namespace ${namespace} may not be read by Refwarden`,
      );
    } finally {
      const { rules } = JSON.parse(before) as { rules: object[] };
      await must(scene.kubectl, ['patch', ...role, '--type=merge', `--patch=${JSON.stringify({ rules })}`]);
    }
  });

  it('of another namespace is not reached with the secrets of this one', async () => {
    await scene.guard('pull-nothing', { require: [signedBy(releaseKey)] }, images['unsigned'].tagged);
    const other = pod('pull-nothing', withSecrets(image, 'regcred'));
    expect(denialOf(await create(scene.kubectl, other, '--dry-run=server'))).toContain(
      'Secret regcred in namespace pull-nothing does not exist.',
    );
  });
});
