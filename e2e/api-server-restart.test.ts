import { beforeAll, describe, expect, inject, it } from 'vitest';
import { chooseClusterDriver } from './drivers/choose-cluster-driver.ts';
import type { Cluster } from './drivers/cluster-driver.ts';
import { denialOf, expectAdmitted } from './objects/kubectl-objects.ts';
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
const driver = chooseClusterDriver();

describe.skipIf(!driver.canRestartApiServer)('an API server that is restarted', () => {
  const stack = suiteStack();
  let cluster: Cluster;
  let scene: Scene;
  /** A cluster of its own: the other files share one. */
  beforeAll(async () => {
    cluster = await driver.start();
    stack.defer(() => cluster.stop());
    const directory = await makeTemporaryDirectory('restarts');
    stack.defer(() => directory.remove());
    const webhookKubeconfigPath = await installRefwarden(cluster, inject('world').trust, directory.path);
    scene = await openScene(stack, { ...cluster, webhookKubeconfigPath, hosts: [host] });
    await scene.guard(namespace, { require: [signedBy(releaseKey)] }, unsigned);
  });

  it('finds the policies in force, and the webhook follows what changes afterwards', async () => {
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
});
