import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { chooseClusterDriver } from './drivers/choose-cluster-driver.ts';
import { startLocalCluster } from './drivers/local.ts';
import type { LocalCluster } from './drivers/local.ts';
import { denialOf, expectAdmitted, must } from './objects/kubectl-objects.ts';
import { signedBy, spdxBy } from './objects/policy.ts';
import { makeTemporaryDirectory } from './processes/temporary-directory.ts';
import { installRefwarden } from './world/install-refwarden.ts';
import { sampleRegistry } from './world/sample-registry.ts';
import { openScene } from './world/scene.ts';
import type { Scene } from './world/scene.ts';
import { suiteStack } from './world/suite-stack.ts';
import { releaseKey } from './world/trust.ts';

const { host, images } = sampleRegistry();
const unsigned = images['unsigned'].tagged;
const signed = images['signed-bundle'].tagged;
const namespace = 'restarts';
const require = [signedBy(releaseKey)];
/** Longer than a request to the API server waits, and than the replica's own timeouts. */
const etcdPauseMs = 20_000;

describe.skipIf(!chooseClusterDriver().canRestartApiServer)('T28 policies stay in force', () => {
  const stack = suiteStack();
  let cluster: LocalCluster;
  let scene: Scene;
  /** A cluster of its own: the other files share one. */
  beforeAll(async () => {
    cluster = await startLocalCluster();
    stack.defer(() => cluster.stop());
    const directory = await makeTemporaryDirectory('restarts');
    stack.defer(() => directory.remove());
    const webhookKubeconfigPath = await installRefwarden(cluster, inject('world').trust, directory.path);
    scene = await openScene(stack, { ...cluster, webhookKubeconfigPath, hosts: [host] });
    await scene.guard(namespace, { require }, unsigned);
  });

  it('when the API server is restarted, and what changes afterwards is followed', async () => {
    await cluster.restartApiServer();
    expect(denialOf(await scene.runPod(namespace, unsigned))).toContain('SignatureMissing');
    expectAdmitted(await scene.runPod(namespace, signed));

    await scene.applyPolicy(namespace, { require: [spdxBy(releaseKey)] });
    await scene.awaitAnswer(namespace, signed, 'the watch of policies goes on', ({ stderr }) =>
      stderr.includes('SbomMissing'),
    );
    await scene.addNamespace('after-restart');
    expectAdmitted(await scene.runPod('after-restart', unsigned));
    expectAdmitted(await scene.runPod(namespace, images['attested'].tagged));
  });

  it('while etcd answers nothing for 20 s, and what changes afterwards is followed', async () => {
    await scene.applyPolicy(namespace, { require });
    await scene.awaitAnswer(namespace, signed, 'the policy is in force', ({ code }) => code === 0);
    const resume = cluster.pauseEtcd();
    try {
      const endMs = performance.now() + etcdPauseMs;
      while (performance.now() < endMs) {
        expect(await scene.webhook.readiness()).toBe(200);
        await sleep(500);
      }
    } finally {
      resume();
    }
    await scene.awaitAnswer(namespace, unsigned, 'the API server is back, and asks', ({ stderr }) =>
      stderr.includes('SignatureMissing'),
    );
    await scene.applyPolicy(namespace, { require: [spdxBy(releaseKey)] });
    await scene.awaitAnswer(namespace, signed, 'the watch of policies goes on', ({ stderr }) =>
      stderr.includes('SbomMissing'),
    );
  });

  it('when the events of an outage are gone for good (410), and all is listed anew', async () => {
    await scene.applyPolicy(namespace, { mode: 'Enforce', require: [spdxBy(releaseKey)] });
    await scene.awaitAnswer(namespace, signed, 'it asks for an SBOM', ({ stderr }) =>
      stderr.includes('SbomMissing'),
    );
    const resume = scene.webhook.pause();
    try {
      // Cuts the watches: of what changes now nothing waits in a socket.
      await cluster.restartApiServer();
      await scene.applyPolicy(namespace, { require });
      await must(scene.kubectl, ['create', 'namespace', 'meanwhile']);
      await cluster.compactEtcd();
      // Its own memory of events goes with it: who was watching is too late.
      await cluster.restartApiServer();
    } finally {
      resume();
    }
    await scene.awaitAnswer(namespace, signed, 'the change of the outage counts', ({ code }) => code === 0);
    // Custom resources are answered 429 by an API server that just started; both lead to a new list.
    expect(scene.webhook.logTail()).toMatch(/sent an error event for (?:namespaces|configmaps)/);
    expect(denialOf(await scene.runPod(namespace, unsigned))).toContain('SignatureMissing');
  });
});
