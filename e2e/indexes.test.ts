import { join } from 'node:path';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { keySigner } from './images/key-signer.ts';
import type { KeySigner, SignatureFormat } from './images/key-signer.ts';
import { spdxPath } from './images/make-samples.ts';
import { pushIndex } from './images/push-index.ts';
import type { SampleIndex } from './images/push-index.ts';
import { digestOf } from './images/sample-image.ts';
import { denialOf, expectAdmitted } from './objects/kubectl-objects.ts';
import { signedBy } from './objects/policy.ts';
import { makeTemporaryDirectory } from './processes/temporary-directory.ts';
import { startDemoRegistry } from './registries/demo-registry.ts';
import { startGgcrRegistry } from './registries/ggcr-registry.ts';
import type { RunningRegistry } from './registries/running-registry.ts';
import { makeCosign } from './tools/cosign.ts';
import { makeOras } from './tools/oras.ts';
import { makeRegctl } from './tools/regctl.ts';
import type { Regctl } from './tools/regctl.ts';
import { openScene } from './world/scene.ts';
import type { Scene } from './world/scene.ts';
import { sampleRegistry } from './world/sample-registry.ts';
import { suiteStack } from './world/suite-stack.ts';
import { releaseKey } from './world/trust.ts';

const { registries, kubeconfigPath, webhookHost, keysDirectory } = inject('world');

const onPlatforms = (...platforms: string[]): object[] => [
  { name: 'signed', signature: { issuers: [releaseKey], platforms } },
];

const stack = suiteStack();
let scene: Scene;
let release: KeySigner;
let regctl: Regctl;
let push: (repository: string, tag?: string) => Promise<SampleIndex>;
let withReferences: RunningRegistry;
let withTagScan: RunningRegistry;
beforeAll(async () => {
  const directory = await makeTemporaryDirectory('indexes');
  stack.defer(() => directory.remove());
  const { path } = directory;
  const [cosign, oras] = await Promise.all([makeCosign(path), makeOras(path)]);
  regctl = await makeRegctl(path);
  release = keySigner(cosign, join(keysDirectory, 'release.key'));
  push = (repository, tag = '1.0') => pushIndex(oras, path, repository, `${repository}:${tag}`, tag);

  withReferences = await startDemoRegistry('References,Referrers');
  stack.defer(() => withReferences.stop());
  withTagScan = await startGgcrRegistry();
  stack.defer(() => withTagScan.stop());
  const mechanisms = ['Referrers', 'FallbackTag', 'CosignTag'];
  const configured = [
    { host: withReferences.host, mechanisms: ['References', ...mechanisms] },
    { host: withTagScan.host, mechanisms: [...mechanisms, 'TagScan'] },
  ];
  const hosts = [...registries, ...configured].map(({ host }) => host);
  scene = await openScene(stack, {
    kubeconfigPath,
    webhookHost,
    hosts,
    registrySettings: { registries: configured.map((entry) => ({ ...entry, plainHttp: true })) },
  });
  const { tagged } = sampleRegistry().images['unsigned-too'];
  const require = [signedBy(releaseKey)];
  await Promise.all([
    scene.guard('index-signed', { require }, tagged),
    scene.guard('index-tags', { require, indexTags: ['stable', '1.0'] }, tagged),
    scene.guard('children-all', { require: onPlatforms('All') }, tagged),
    scene.guard('children-amd64', { require: onPlatforms('linux/amd64') }, tagged),
    scene.guard('children-s390x', { require: onPlatforms('linux/amd64', 'linux/s390x') }, tagged),
    scene.guard(
      'children-sbom',
      {
        require: [{ name: 'sbom', sbom: { formats: ['SPDX'], issuers: [releaseKey], platforms: ['All'] } }],
      },
      tagged,
    ),
  ]);
});

describe.each(
  registries.flatMap((registry) =>
    (['Legacy', 'Bundle'] as const).map((format) => ({ ...registry, format })),
  ),
)('a registry $name, an index that cosign signed ($format): its child', ({ host, format }) => {
  let signed: SampleIndex;
  let child: string;
  beforeAll(async () => {
    signed = await push(`${host}/walk-up/${format.toLowerCase()}`);
    await release.sign(signed, format);
    child = digestOf(signed.arm64.pinned);
  });

  /** The index with all that belongs to it, in a repository that the webhook has never seen. */
  const copyTo = async (name: string): Promise<string> => {
    const repository = `${host}/walk-up/${format.toLowerCase()}-${name}`;
    const everything = ['--referrers', '--digest-tags'];
    await regctl(host, ['image', 'copy', ...everything, signed.tagged, `${repository}:1.0`]);
    return repository;
  };

  it('is denied where nothing leads to the index', async () => {
    const repository = await copyTo('alone');
    const denial = denialOf(await scene.runPod('index-signed', `${repository}@${child}`));
    expect(denial).toContain('SignatureMissing: policy index-signed (signed)');
    expect(denial).toContain(`(${signed.arm64.shortDigest}), container "app"`);
  });

  it('is admitted beside the tag of the index', async () => {
    const repository = await copyTo('beside');
    expectAdmitted(await scene.runPod('index-signed', `${repository}:1.0@${child}`));
  });

  it('is admitted where policy names a tag of the index', async () => {
    const repository = await copyTo('named');
    const without = denialOf(await scene.runPod('index-signed', `${repository}@${child}`));
    expect(without).toContain('SignatureMissing: policy index-signed (signed)');
    expectAdmitted(await scene.runPod('index-tags', `${repository}@${child}`));
  });

  it('is admitted after the index was seen', async () => {
    const repository = await copyTo('seen');
    const before = denialOf(await scene.runPod('index-signed', `${repository}@${child}`));
    expect(before).toContain('SignatureMissing: policy index-signed (signed)');
    expectAdmitted(await scene.runPod('index-signed', `${repository}:1.0`));
    const isAdmitted = ({ code }: { code: number }): boolean => code === 0;
    await scene.awaitAnswer('index-signed', `${repository}@${child}`, 'the index is known', isAdmitted);
    expectAdmitted(await scene.runPod('index-signed', `${repository}@${child}`));
  });

  it('T15 is denied beside the tag of a signed index that does not contain it', async () => {
    const repository = await copyTo('other');
    const other = await push(repository, '2.0');
    await release.sign(other, format);
    expectAdmitted(await scene.runPod('index-signed', other.tagged));
    const denial = denialOf(await scene.runPod('index-signed', `${repository}:2.0@${child}`));
    expect(denial).toContain('SignatureMissing: policy index-signed (signed)');
  });
});

describe.each([
  { mechanism: 'References', registry: () => withReferences },
  { mechanism: 'TagScan', registry: () => withTagScan },
])('a registry with $mechanism in the settings', ({ registry }) => {
  const formats: readonly SignatureFormat[] = ['Legacy', 'Bundle'];
  it.each(formats)('admits a child that is named by its digest, by the signed index (%s)', async (format) => {
    const index = await push(`${registry().host}/walk-up/${format.toLowerCase()}`);
    await release.sign(index, format);
    expectAdmitted(await scene.runPod('index-signed', index.amd64.pinned));
    expectAdmitted(await scene.runPod('index-signed', index.arm64.pinned));
  });

  it('T15 denies the child of an index that nobody signed', async () => {
    const index = await push(`${registry().host}/walk-up/unsigned`);
    const denial = denialOf(await scene.runPod('index-signed', index.amd64.pinned));
    expect(denial).toContain('SignatureMissing: policy index-signed (signed)');
  });
});

describe.each(registries)('a registry $name, an index whose children are signed', ({ host }) => {
  let whole: SampleIndex;
  let half: SampleIndex;
  beforeAll(async () => {
    whole = await push(`${host}/platforms/whole`);
    await release.sign(whole.amd64, 'Legacy');
    await release.sign(whole.arm64, 'Bundle');
    half = await push(`${host}/platforms/half`);
    await release.sign(half.amd64, 'Bundle');
    for (const child of [whole.amd64, whole.arm64, half.amd64]) await release.attestSpdx(child, spdxPath);
  });

  it('is denied where policy does not say platforms', async () => {
    const denial = denialOf(await scene.runPod('index-signed', whole.tagged));
    expect(denial).toContain(`${whole.tagged} (${whole.shortDigest}), container "app"\n  SignatureMissing: `);
  });

  it.each(['children-all', 'children-amd64', 'children-sbom'])('is admitted for %s', async (namespace) => {
    expectAdmitted(await scene.runPod(namespace, whole.tagged));
    expectAdmitted(await scene.runPod(namespace, whole.pinned));
  });

  it.each([
    { namespace: 'children-all', code: 'SignatureMissing', requirement: 'signed' },
    { namespace: 'children-sbom', code: 'SbomMissing', requirement: 'sbom' },
  ])('T13 is denied for $namespace by a child without, and says which', async (wanted) => {
    const { namespace, code, requirement } = wanted;
    const denial = denialOf(await scene.runPod(namespace, half.tagged));
    expect(denial).toContain(`${half.tagged} (${half.shortDigest}), container "app"`);
    expect(denial).toContain(
      `${code}: policy ${namespace} (${requirement}): child ${half.arm64.shortDigest} (linux/arm64): `,
    );
  });

  it('is admitted where only the signed child runs', async () => {
    expectAdmitted(await scene.runPod('children-amd64', half.tagged));
  });

  it('is denied for a platform that it lacks', async () => {
    const denial = denialOf(await scene.runPod('children-s390x', whole.tagged));
    expect(denial).toContain(
      'PlatformMissing: policy children-s390x (signed): the index holds nothing for linux/s390x',
    );
  });
});
