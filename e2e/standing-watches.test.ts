import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { makeKubectl } from './drivers/kubectl.ts';
import { create, denialOf, expectAdmitted, must } from './objects/kubectl-objects.ts';
import { guardLabel, signedBy, spdxBy } from './objects/policy.ts';
import { pod, podSpec } from './objects/pod.ts';
import { startFreezableProxy } from './processes/freezable-proxy.ts';
import type { FreezableProxy } from './processes/freezable-proxy.ts';
import { makeTemporaryDirectory } from './processes/temporary-directory.ts';
import { sampleRegistry } from './world/sample-registry.ts';
import { openScene } from './world/scene.ts';
import type { Scene } from './world/scene.ts';
import { suiteStack } from './world/suite-stack.ts';
import { releaseKey } from './world/trust.ts';

const { kubeconfigPath, serviceKubeconfigPath, webhookHost } = inject('world');
const { host, images } = sampleRegistry();
const unsigned = images['unsigned'].tagged;
const signed = images['signed-bundle'].tagged;
const guarded = 'standing-watches';
const fresh = 'just-made';

const stack = suiteStack();
let proxy: FreezableProxy;
let scene: Scene;
beforeAll(async () => {
  const directory = await makeTemporaryDirectory('proxied');
  stack.defer(() => directory.remove());
  proxy = await startFreezableProxy();
  stack.defer(() => proxy.stop());
  const webhookKubeconfigPath = join(directory.path, 'kubeconfig');
  const kubectl = await makeKubectl(serviceKubeconfigPath, directory.path);
  const kubeconfig = await must(kubectl, ['config', 'view', '--raw', '--flatten', '-o', 'json']);
  await writeFile(webhookKubeconfigPath, throughProxy(kubeconfig, proxy.url), { mode: 0o600 });
  scene = await openScene(stack, { kubeconfigPath, webhookKubeconfigPath, webhookHost, hosts: [host] });
  await scene.guard(guarded, { require: [signedBy(releaseKey)] }, unsigned);
  proxy.freeze();
});

describe('watches that are open and bring nothing', () => {
  it('leave the policies in force', async () => {
    expectAdmitted(await scene.runPod(guarded, signed));
    expect(denialOf(await scene.runPod(guarded, unsigned))).toContain('SignatureMissing');
  });

  it('T35 are not relied on for the labels of a namespace that they have not shown', async () => {
    stack.defer(async () => {
      await must(scene.kubectl, ['delete', 'namespace', fresh, '--wait=false']);
    });
    // The pod comes right after its namespace; with a service account of its own it need not wait for the default one.
    const result = await create(scene.kubectl, [
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: fresh, labels: { [guardLabel]: guarded } } },
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'own', namespace: fresh } },
      pod(fresh, podSpec(unsigned, { serviceAccountName: 'own' })),
    ]);
    // The question may have gone into a connection that stands still as well: then the answer is that nobody knows.
    expect(denialOf(result)).toMatch(
      new RegExp(`(SignatureMissing|NamespaceUnknown): policy ${guarded} \\(signed\\)`),
    );
    await scene.awaitAnswer(fresh, unsigned, 'the namespace is asked for', ({ stderr }) =>
      stderr.includes(`SignatureMissing: policy ${guarded} (signed)`),
    );
  });

  it('are caught up with once they go on', async () => {
    await scene.applyPolicy(guarded, { require: [spdxBy(releaseKey)] });
    expectAdmitted(await scene.runPod(guarded, signed));
    proxy.thaw();
    await scene.awaitAnswer(guarded, signed, 'the SBOM is required', ({ stderr }) =>
      stderr.includes('SbomMissing'),
    );
  });
});

/** The kubeconfig, with its clusters reached through an HTTP proxy. */
function throughProxy(kubeconfig: string, proxyUrl: string): string {
  const config = JSON.parse(kubeconfig) as { clusters: { name: string; cluster: object }[] };
  const clusters = config.clusters.map(({ name, cluster }) => ({
    name,
    cluster: { ...cluster, 'proxy-url': proxyUrl },
  }));
  return JSON.stringify({ ...config, clusters });
}
