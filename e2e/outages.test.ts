import { join } from 'node:path';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { keySigner } from './images/key-signer.ts';
import { pushImage } from './images/push-image.ts';
import type { SampleImage } from './images/sample-image.ts';
import { create, denialOf, expectAdmitted } from './objects/kubectl-objects.ts';
import { signedBy } from './objects/policy.ts';
import { pod, podSpec } from './objects/pod.ts';
import { makeTemporaryDirectory } from './processes/temporary-directory.ts';
import { startDistribution } from './registries/distribution.ts';
import type { RunningRegistry } from './registries/running-registry.ts';
import { makeCosign } from './tools/cosign.ts';
import { makeOras } from './tools/oras.ts';
import { openScene } from './world/scene.ts';
import type { Scene } from './world/scene.ts';
import { sampleRegistry } from './world/sample-registry.ts';
import { suiteStack } from './world/suite-stack.ts';
import { releaseKey } from './world/trust.ts';

const { kubeconfigPath, webhookHost, keysDirectory } = inject('world');
const { host, images } = sampleRegistry();
const unsigned = images['unsigned'].tagged;
const signed = images['signed-bundle'].tagged;
const namespace = 'outages';

const stack = suiteStack();
let scene: Scene;
let registry: RunningRegistry;
let known: SampleImage;
let fresh: SampleImage;
beforeAll(async () => {
  const directory = await makeTemporaryDirectory('outages');
  stack.defer(() => directory.remove());
  const [cosign, oras] = await Promise.all([makeCosign(directory.path), makeOras(directory.path)]);
  registry = await startDistribution();
  stack.defer(() => registry.stop());
  const push = (name: string): Promise<SampleImage> =>
    pushImage(oras, directory.path, `${registry.host}/e2e/${name}`, name);
  [known, fresh] = [await push('known'), await push('fresh')];
  const release = keySigner(cosign, join(keysDirectory, 'release.key'));
  for (const image of [known, fresh]) await release.sign(image, 'Bundle');
  scene = await openScene(stack, { kubeconfigPath, webhookHost, hosts: [host, registry.host] });
  const require = [signedBy(releaseKey)];
  await scene.guard(namespace, { require }, unsigned);
  await scene.guard('lenient', { onInconclusive: 'Admit', require }, unsigned);
});

describe('a registry that is down', () => {
  it('T28 is no reason to admit an image, nor to forget one, unless policy says so', async () => {
    expectAdmitted(await scene.runPod(namespace, known.pinned));
    const startAgain = await registry.interrupt();
    const denial = denialOf(await scene.runPod(namespace, fresh.tagged));
    expect(denial).toContain(
      `${fresh.tagged}, container "app"\n  RegistryUnavailable: policy ${namespace} (signed)`,
    );
    expectAdmitted(await scene.runPod(namespace, known.pinned));
    expect(await scene.runPod('lenient', fresh.tagged)).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(
        new RegExp(`^Warning: RegistryUnavailable ${fresh.tagged}: policy lenient \\(signed\\).*\n$`),
      ) as string,
    });
    await startAgain();
    expectAdmitted(await scene.runPod(namespace, fresh.tagged));
  });
});

describe('a webhook that is down', () => {
  it('T28 lets nothing through, and judges as before once it is back', async () => {
    await scene.webhook.kill();
    for (const image of [signed, unsigned]) {
      const result = await scene.runPod(namespace, image);
      expect(result.code).toBe(1);
      expect(result.stderr).toMatch(/failed calling webhook "(?:mutate|validate)\.refwarden\.dev"/);
    }
    await scene.webhook.restart();
    expectAdmitted(await scene.runPod(namespace, signed));
    expect(denialOf(await scene.runPod(namespace, unsigned))).toContain('SignatureMissing');
  });

  it('T33 leaves kube-system alone', async () => {
    await scene.webhook.kill();
    const system = pod('kube-system', podSpec(unsigned), 'refwarden-e2e');
    expectAdmitted(await create(scene.kubectl, system, '--dry-run=server'));
    await scene.webhook.restart();
  });

  it('answers what is under way and what arrives while it is asked to end', async () => {
    const results: Promise<{ code: number; stderr: string }>[] = [];
    const ended = scene.webhook.terminate();
    for (let i = 0; i < 2; i += 1) {
      results.push(scene.runPod(namespace, signed));
      results.push(scene.runPod(namespace, unsigned));
    }
    for (const [i, result] of (await Promise.all(results)).entries()) {
      if (i % 2 === 0) expect(result).toMatchObject({ code: 0, stderr: '' });
      else expect(result.stderr).toContain('SignatureMissing');
    }
    await ended;
    await scene.webhook.restart();
  });
});
