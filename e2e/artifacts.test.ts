import { beforeAll, describe, expect, inject, it } from 'vitest';
import { somebody } from './images/make-samples.ts';
import { denialOf, expectAdmitted } from './objects/kubectl-objects.ts';
import { signedBy, spdxBy } from './objects/policy.ts';
import { sampleRegistry } from './world/sample-registry.ts';
import { openScene } from './world/scene.ts';
import type { Scene } from './world/scene.ts';
import { suiteStack } from './world/suite-stack.ts';
import { releaseKey, releaseNotationIssuer, releasePersonIssuer } from './world/trust.ts';

const { registries, kubeconfigPath, webhookHost, oidcIssuer } = inject('world');

const stack = suiteStack();
let scene: Scene;
beforeAll(async () => {
  scene = await openScene(stack, { kubeconfigPath, webhookHost, hosts: registries.map(({ host }) => host) });
  const { tagged } = sampleRegistry().images['unsigned-too'];
  await scene.guard('signed-by-key', { require: [signedBy(releaseKey)] }, tagged);
  await scene.guard('signed-by-person', { require: [signedBy(releasePersonIssuer)] }, tagged);
  await scene.guard('signed-by-notation', { require: [signedBy(releaseNotationIssuer)] }, tagged);
  await scene.guard('with-sbom', { require: [spdxBy(releaseKey)] }, tagged);
});

describe.each(registries)('a registry $name', ({ images }) => {
  describe('admits', () => {
    it.each([
      { what: 'a cosign signature by key, .sig tag', guard: 'signed-by-key', image: images['signed-legacy'] },
      { what: 'a cosign signature by key, bundle', guard: 'signed-by-key', image: images['signed-bundle'] },
      { what: 'a keyless signature', guard: 'signed-by-person', image: images['signed-keyless'] },
      {
        what: 'a Notation signature, JWS',
        guard: 'signed-by-notation',
        image: images['signed-notation-jws'],
      },
      {
        what: 'a Notation signature, COSE',
        guard: 'signed-by-notation',
        image: images['signed-notation-cose'],
      },
      { what: 'an attested SBOM', guard: 'with-sbom', image: images['attested'] },
    ])('$what', async ({ guard, image }) => {
      expectAdmitted(await scene.runPod(guard, image.tagged));
      expectAdmitted(await scene.runPod(guard, image.pinned));
    });
  });

  describe('denies', () => {
    it('an image without a signature, and says which, where, why and what to do', async () => {
      const { tagged, pinned, shortDigest } = images['unsigned'];
      const denial = denialOf(await scene.runPod('signed-by-key', tagged));
      const [count, image, why, remedy] = denial.split('\n');
      expect(count).toBe('1 image, 1 not admitted');
      expect(image).toBe(`${tagged} (${shortDigest}), container "app"`);
      expect(why).toMatch(/^ {2}SignatureMissing: policy signed-by-key \(signed\).* by e2e-release-key\b/);
      expect(remedy).toMatch(/^ {2}Sign the image by its digest .* Details: refwarden check .*--explain /);
      expect(remedy).toContain(pinned.split('@')[1]);
    });

    it('a signature by a key that is not trusted', async () => {
      const denial = denialOf(await scene.runPod('signed-by-key', images['signed-by-stranger'].tagged));
      expect(denial).toMatch(/SignerNotTrusted: policy signed-by-key \(signed\).* Found 1: /);
    });

    it('a keyless signature by another identity, and names the signer', async () => {
      const denial = denialOf(await scene.runPod('signed-by-person', images['signed-by-somebody'].tagged));
      expect(denial).toMatch(/SignerNotTrusted: policy signed-by-person \(signed\).* Found 1: /);
      expect(denial).toContain(`Signed by ${somebody} (${oidcIssuer}).`);
    });

    it('a keyless signature where a key is asked for', async () => {
      const denial = denialOf(await scene.runPod('signed-by-key', images['signed-keyless'].tagged));
      expect(denial).toContain('SignerNotTrusted: policy signed-by-key (signed)');
    });

    it('a Notation signature that leads to another root, and a key where Notation is asked for', async () => {
      const { tagged } = images['signed-notation-by-stranger'];
      const denial = denialOf(await scene.runPod('signed-by-notation', tagged));
      expect(denial).toMatch(/SignerNotTrusted: policy signed-by-notation \(signed\).* Found 1: /);
      expect(denial).toContain('C=US, ST=WA, O=Acme, CN=release');
      expect(denialOf(await scene.runPod('signed-by-notation', images['signed-bundle'].tagged))).toContain(
        'SignerNotTrusted: policy signed-by-notation (signed)',
      );
    });

    it('T01 a tag that was moved to another image after it was signed', async () => {
      const { tagged, shortDigest } = images['signed-then-moved'];
      const denial = denialOf(await scene.runPod('signed-by-key', tagged));
      expect(denial).toContain(`${tagged} (${shortDigest}), container "app"`);
      expect(denial).toContain('SignatureMissing: policy signed-by-key (signed)');
    });

    it('T16 a signature where an SBOM is asked for', async () => {
      const denial = denialOf(await scene.runPod('with-sbom', images['signed-bundle'].tagged));
      expect(denial).toMatch(/SbomMissing: policy with-sbom \(sbom\).*SPDX.* by e2e-release-key\b/);
    });
  });
});
