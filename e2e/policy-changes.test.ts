import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { apply, denialOf, expectAdmitted, must } from './objects/kubectl-objects.ts';
import { guardLabel, signedBy, spdxBy } from './objects/policy.ts';
import { openScene } from './world/scene.ts';
import type { Scene } from './world/scene.ts';
import { sampleRegistry } from './world/sample-registry.ts';
import { suiteStack } from './world/suite-stack.ts';
import { keyIssuer, releaseKey } from './world/trust.ts';

const { kubeconfigPath, webhookHost, keysDirectory } = inject('world');
const { host, images } = sampleRegistry();
const unsigned = images['unsigned'].tagged;
const signed = images['signed-bundle'].tagged;

const stack = suiteStack();
let scene: Scene;
beforeAll(async () => {
  scene = await openScene(stack, { kubeconfigPath, webhookHost, hosts: [host] });
});

describe('a policy', () => {
  it('takes effect when it is tightened, and ends when it is deleted', async () => {
    const name = 'tightened';
    await scene.guard(name, { require: [signedBy(releaseKey)] }, unsigned);
    expectAdmitted(await scene.runPod(name, signed));
    await scene.applyPolicy(name, { require: [signedBy(releaseKey), spdxBy(releaseKey)] });
    await scene.awaitAnswer(name, signed, 'the SBOM is required', ({ stderr }) =>
      stderr.includes('SbomMissing'),
    );
    expectAdmitted(await scene.runPod(name, images['attested'].tagged));
    await must(scene.kubectl, ['delete', 'clusterartifactpolicy', name]);
    await scene.awaitAnswer(name, unsigned, 'the policy is gone', ({ code }) => code === 0);
  });

  it('T22 denies while its issuer is missing, and admits once it is there', async () => {
    const name = 'without-issuer';
    const issuer = 'e2e-late-key';
    await scene.guard(name, { require: [signedBy(issuer)] }, unsigned);
    const denial = denialOf(await scene.runPod(name, signed));
    expect(denial).toContain(`PolicyNotReady: policy ${name} (signed)`);
    expect(denial).toContain(`There is no TrustedIssuer ${issuer}.`);
    const pem = await readFile(join(keysDirectory, 'release.pub'), 'utf8');
    await apply(scene.kubectl, keyIssuer(issuer, pem));
    await scene.awaitAnswer(name, signed, 'the issuer is trusted', ({ code }) => code === 0);
    await must(scene.kubectl, ['delete', 'trustedissuer', issuer]);
    await scene.awaitAnswer(name, signed, 'the issuer is trusted no more', ({ stderr }) =>
      stderr.includes('PolicyNotReady'),
    );
  });

  it('of a namespace adds to that of the cluster', async () => {
    const name = 'added-to';
    await scene.guard(name, { require: [signedBy(releaseKey)] }, unsigned);
    expectAdmitted(await scene.runPod(name, signed));
    await apply(scene.kubectl, {
      apiVersion: 'refwarden.dev/v1alpha1',
      kind: 'ArtifactPolicy',
      metadata: { name: 'ours', namespace: name },
      spec: {
        images: ['**'],
        require: [
          {
            name: 'scanned',
            attestation: {
              predicateType: 'https://cosign.sigstore.dev/attestation/vuln/v1',
              issuers: [releaseKey],
            },
          },
        ],
      },
    });
    await scene.awaitAnswer(name, signed, 'a scan is required', ({ stderr }) =>
      stderr.includes(`AttestationMissing: policy ${name}/ours (scanned)`),
    );
    expect(denialOf(await scene.runPod(name, unsigned))).toContain('SignatureMissing');
  });
});

describe('labels of namespaces', () => {
  it('select anew when they change', async () => {
    const name = 'relabelled';
    await scene.addNamespace(name);
    await scene.applyPolicy('for-labelled', { require: [signedBy(releaseKey)] });
    expectAdmitted(await scene.runPod(name, unsigned));
    await must(scene.kubectl, ['label', 'namespace', name, '--overwrite', `${guardLabel}=for-labelled`]);
    await scene.awaitAnswer(name, unsigned, 'the label selects', ({ stderr }) =>
      stderr.includes('policy for-labelled (signed)'),
    );
  });
});
