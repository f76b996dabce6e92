import { join } from 'node:path';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { keySigner } from './images/key-signer.ts';
import type { KeySigner } from './images/key-signer.ts';
import { pushImage } from './images/push-image.ts';
import { pushIndex } from './images/push-index.ts';
import type { SampleIndex } from './images/push-index.ts';
import { digestOf } from './images/sample-image.ts';
import type { SampleImage } from './images/sample-image.ts';
import { denialOf, expectAdmitted } from './objects/kubectl-objects.ts';
import { signedBy } from './objects/policy.ts';
import { makeTemporaryDirectory } from './processes/temporary-directory.ts';
import { makeCosign } from './tools/cosign.ts';
import { makeOras } from './tools/oras.ts';
import type { Oras } from './tools/oras.ts';
import { makeRegctl } from './tools/regctl.ts';
import type { Regctl } from './tools/regctl.ts';
import { openScene } from './world/scene.ts';
import type { Scene } from './world/scene.ts';
import { sampleRegistry } from './world/sample-registry.ts';
import { suiteStack } from './world/suite-stack.ts';
import { releaseKey } from './world/trust.ts';

const { registries, kubeconfigPath, webhookHost, keysDirectory } = inject('world');
const hosts = registries.map(({ host }) => host);

const stack = suiteStack();
let scene: Scene;
let oras: Oras;
let regctl: Regctl;
let release: KeySigner;
let push: (repository: string) => Promise<SampleImage>;
let pushMultiArch: (repository: string) => Promise<SampleIndex>;
beforeAll(async () => {
  const directory = await makeTemporaryDirectory('evidence-repositories');
  stack.defer(() => directory.remove());
  const { path } = directory;
  const cosign = await makeCosign(path);
  release = keySigner(cosign, join(keysDirectory, 'release.key'));
  [oras, regctl] = await Promise.all([makeOras(path), makeRegctl(path)]);
  push = (repository) => pushImage(oras, path, repository, repository);
  pushMultiArch = (repository) => pushIndex(oras, path, repository, repository);
  scene = await openScene(stack, { kubeconfigPath, webhookHost, hosts });
  const { tagged } = sampleRegistry().images['unsigned-too'];
  const require = [signedBy(releaseKey)];
  const named = (name: string): string[] => hosts.map((host) => `${host}/${name}`);
  await Promise.all([
    scene.guard('evidence-own', { require }, tagged),
    scene.guard('evidence-signatures', { require, evidenceRepositories: named('acme/signatures') }, tagged),
    scene.guard('evidence-others', { require, evidenceRepositories: named('acme/others') }, tagged),
  ]);
});

/** Only the policy that names `acme/signatures` admits. */
async function expectAdmittedByOneOnly(image: string): Promise<void> {
  for (const namespace of ['evidence-own', 'evidence-others']) {
    const denial = denialOf(await scene.runPod(namespace, image));
    expect(denial).toContain(`SignatureMissing: policy ${namespace} (signed): `);
  }
  expectAdmitted(await scene.runPod('evidence-signatures', image));
}

describe.each(registries)('a registry $name: a signature in another repository', ({ host }) => {
  const signatures = `${host}/acme/signatures`;

  it.each(['Legacy', 'Bundle'] as const)('put there by COSIGN_REPOSITORY (%s)', async (format) => {
    const image = await push(`${host}/acme/app-${format.toLowerCase()}`);
    await release.sign(image, format, signatures);
    await expectAdmittedByOneOnly(image.tagged);
  });

  it('put there by COSIGN_REPOSITORY, in another registry', async () => {
    const image = await push(`${host}/acme/app-across`);
    const elsewhere = hosts.find((other) => other !== host) ?? '';
    await release.sign(image, 'Legacy', `${elsewhere}/acme/signatures`);
    await expectAdmittedByOneOnly(image.tagged);
  });

  it('copied there with the image by oras', async () => {
    const signed = await push(`${host}/acme/signed-for-oras`);
    await release.sign(signed, 'Bundle');
    const plain = ['--from-plain-http', '--to-plain-http'];
    await oras(['copy', '--recursive', ...plain, signed.pinned, `${signatures}:by-oras`]);
    const image = `${host}/acme/promoted-by-oras:1.0`;
    await oras(['copy', ...plain, signed.pinned, image]);
    await expectAdmittedByOneOnly(image);
  });

  it.each([
    { format: 'Legacy', flag: '--digest-tags' },
    { format: 'Bundle', flag: '--referrers' },
  ] as const)('copied there with the image by regctl ($format)', async ({ format, flag }) => {
    const name = format.toLowerCase();
    const signed = await push(`${host}/acme/signed-for-regctl-${name}`);
    await release.sign(signed, format);
    await regctl(host, ['image', 'copy', flag, signed.pinned, `${signatures}:by-regctl-${name}`]);
    const image = `${host}/acme/promoted-by-regctl-${name}:1.0`;
    await regctl(host, ['image', 'copy', signed.pinned, image]);
    await expectAdmittedByOneOnly(image);
  });

  it('of the index, for a child beside its tag', async () => {
    const index = await pushMultiArch(`${host}/acme/index`);
    await release.sign(index, 'Legacy', signatures);
    await expectAdmittedByOneOnly(`${index.tagged}@${digestOf(index.arm64.pinned)}`);
  });

  it('T15 of another image, put where that of the image would be, counts for nothing', async () => {
    const [other, unsigned] = [await push(`${host}/acme/app-other`), await push(`${host}/acme/app-unsigned`)];
    await release.sign(other, 'Legacy', signatures);
    const tagFor = ({ pinned }: SampleImage): string =>
      `${signatures}:${digestOf(pinned).replace(':', '-')}.sig`;
    await regctl(host, ['image', 'copy', tagFor(other), tagFor(unsigned)]);
    const denial = denialOf(await scene.runPod('evidence-signatures', unsigned.tagged));
    expect(denial).toContain('SubjectMismatch: policy evidence-signatures (signed): ');
  });
});
