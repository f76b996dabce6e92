import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { keySigner } from './images/key-signer.ts';
import type { KeySigner } from './images/key-signer.ts';
import { makeKeys } from './images/make-keys.ts';
import { spdxPath } from './images/make-samples.ts';
import { pushImage } from './images/push-image.ts';
import type { SampleImage } from './images/sample-image.ts';
import { apply, denialOf, expectAdmitted } from './objects/kubectl-objects.ts';
import type { PolicySpec } from './objects/policy.ts';
import { makeTemporaryDirectory } from './processes/temporary-directory.ts';
import { makeCosign } from './tools/cosign.ts';
import type { Cosign } from './tools/cosign.ts';
import { makeOras } from './tools/oras.ts';
import { openScene } from './world/scene.ts';
import type { Scene } from './world/scene.ts';
import { suiteStack } from './world/suite-stack.ts';
import { anyWorkflowIssuer, keyIssuer, releaseKey, releaseWorkflowIssuer } from './world/trust.ts';

const { registries, kubeconfigPath, webhookHost, keysDirectory } = inject('world');
const provenanceType = 'https://slsa.dev/provenance/v1';
const vulnType = 'https://cosign.sigstore.dev/attestation/vuln/v1';
const owners = ['red', 'green', 'blue'] as const;

const stack = suiteStack();
let scene: Scene;
let cosign: Cosign;
let path: string;
let push: (repository: string) => Promise<SampleImage>;
let attachSbom: (image: SampleImage, file: string) => Promise<SampleImage>;
let release: KeySigner;
const signers = new Map<string, KeySigner>();

/** Guards the namespace of the name on every registry's behalf. */
const guard = (name: string, spec: PolicySpec): Promise<void> => {
  const [registry] = registries;
  return scene.guard(name, spec, registry?.images['unsigned-too'].tagged ?? '');
};

beforeAll(async () => {
  const directory = await makeTemporaryDirectory('requirements');
  stack.defer(() => directory.remove());
  ({ path } = directory);
  cosign = await makeCosign(path);
  const oras = await makeOras(path);
  release = keySigner(cosign, join(keysDirectory, 'release.key'));
  push = (repository) => pushImage(oras, path, repository, repository);
  attachSbom = async (image, file) => {
    const type = 'application/spdx+json';
    const digest = await oras(
      [
        'attach',
        '--plain-http',
        '--format=go-template={{.digest}}',
        `--artifact-type=${type}`,
        image.pinned,
        `${file}:${type}`,
      ],
      { cwd: path },
    );
    return { ...image, pinned: `${image.pinned.split('@')[0] ?? ''}@${digest}` };
  };
  scene = await openScene(stack, { kubeconfigPath, webhookHost, hosts: registries.map(({ host }) => host) });
  for (const owner of owners) {
    await mkdir(join(path, owner));
    const pem = await makeKeys(cosign, join(path, owner));
    signers.set(owner, keySigner(cosign, join(path, owner, 'release.key')));
    await apply(scene.kubectl, keyIssuer(`owner-${owner}`, pem));
  }
  const licences = [
    {
      expression:
        "sbom.packages.size() > 0 && !sbom.packages.exists(p, p.licenses.exists(l, l.startsWith('AGPL-')))",
      message: 'a package is under the AGPL',
    },
  ];
  const provenance = { predicateType: provenanceType, issuers: [anyWorkflowIssuer] };
  const ofAcme = "provenance.sourceUri.startsWith('https://github.com/acme/')";
  const require = {
    workflow: {
      name: 'provenance',
      attestation: { predicateType: provenanceType, issuers: [releaseWorkflowIssuer] },
    },
    repository: {
      name: 'provenance',
      attestation: { ...provenance, assert: [{ expression: ofAcme, message: 'it was built elsewhere' }] },
    },
    licences: { name: 'licences', sbom: { formats: ['SPDX'], issuers: [releaseKey], assert: licences } },
    two: {
      name: 'signed',
      signature: { issuers: owners.map((owner) => `owner-${owner}`), minimumIssuers: 2 },
    },
    either: {
      name: 'either',
      anyOf: [
        { signature: { issuers: ['owner-red'] } },
        { sbom: { formats: ['SPDX'], issuers: [releaseKey] } },
      ],
    },
  };
  await guard('built-by-workflow', { require: [require.workflow] });
  await guard('built-from-repository', { require: [require.repository] });
  await guard('licences', { require: [require.licences] });
  await guard('two-of-three', { require: [require.two] });
  await guard('either', { require: [require.either] });
  await guard('cross-checked', {
    require: [
      { name: 'provenance', attestation: { predicateType: provenanceType, issuers: [releaseKey] } },
      { name: 'scan', attestation: { predicateType: vulnType, issuers: [releaseKey] } },
    ],
    crossChecks: [
      {
        expression: 'attestations.size() >= 2 && vulnerabilities.critical == 0',
        message: 'it has critical vulnerabilities',
      },
      {
        expression: `namespaceObject.metadata.name == 'cross-checked' && ${ofAcme}`,
        message: 'it was built elsewhere',
      },
    ],
  });
});

/** Has cosign attest a predicate, by the release key. */
async function attest(image: SampleImage, type: string, predicate: object | string): Promise<void> {
  const file = join(path, `predicate-${Math.random()}.json`);
  await writeFile(file, typeof predicate === 'string' ? predicate : JSON.stringify(predicate));
  await cosign.run([
    'attest',
    `--key=${join(keysDirectory, 'release.key')}`,
    '--use-signing-config=false',
    '--tlog-upload=false',
    '--yes',
    `--type=${type}`,
    `--predicate=${file}`,
    image.pinned,
  ]);
}

/** An SPDX document of one package with this licence. */
async function spdxWith(licence: string): Promise<string> {
  const document = JSON.parse(await readFile(spdxPath, 'utf8')) as { packages: object[] };
  const packages = document.packages.map((each) => ({
    ...each,
    licenseConcluded: licence,
    licenseDeclared: licence,
  }));
  return JSON.stringify({ ...document, packages });
}

describe.each(registries)('a registry $name', ({ host, images }) => {
  it('provenance by the workflow of a repository counts, that of another is named', async () => {
    expectAdmitted(await scene.runPod('built-by-workflow', images['built-by-release'].tagged));
    const denial = denialOf(await scene.runPod('built-by-workflow', images['built-by-another'].tagged));
    expect(denial).toContain('SignerNotTrusted: policy built-by-workflow (provenance)');
    expect(denial).toContain('mallory/shop');
  });

  it('an expression over provenance tells one repository from another', async () => {
    expectAdmitted(await scene.runPod('built-from-repository', images['built-by-release'].tagged));
    const denial = denialOf(await scene.runPod('built-from-repository', images['built-by-another'].tagged));
    expect(denial).toContain('AssertionFailed: policy built-from-repository (provenance)');
    expect(denial).toContain('it was built elsewhere');
  });

  it('an SBOM with an unwanted licence is refused, one without is admitted, attested or attached and signed', async () => {
    const [good, bad, nested] = await Promise.all(
      ['good', 'bad', 'nested'].map((name) => push(`${host}/licences/${name}`)),
    );
    if (good === undefined || bad === undefined || nested === undefined)
      throw new Error('nothing was pushed');
    await attest(good, 'spdxjson', await spdxWith('Apache-2.0'));
    await attest(bad, 'spdxjson', await spdxWith('MIT AND AGPL-3.0-only'));
    await writeFile(join(path, 'nested.spdx.json'), await spdxWith('MIT'));
    await release.sign(await attachSbom(nested, 'nested.spdx.json'), 'Bundle');
    expectAdmitted(await scene.runPod('licences', good.tagged));
    expectAdmitted(await scene.runPod('licences', nested.tagged));
    const denial = denialOf(await scene.runPod('licences', bad.tagged));
    expect(denial).toContain('AssertionFailed: policy licences (licences)');
    expect(denial).toContain('a package is under the AGPL');
  });

  it('two of three owners must sign; one that signs twice is one', async () => {
    const [both, one] = [await push(`${host}/owners/both`), await push(`${host}/owners/one`)];
    await signers.get('red')?.sign(both, 'Bundle');
    await signers.get('blue')?.sign(both, 'Legacy');
    await signers.get('green')?.sign(one, 'Bundle');
    await signers.get('green')?.sign(one, 'Legacy');
    expectAdmitted(await scene.runPod('two-of-three', both.tagged));
    const denial = denialOf(await scene.runPod('two-of-three', one.tagged));
    expect(denial).toContain('TooFewIssuers: policy two-of-three (signed)');
  });

  it('either a signature or an SBOM is enough, and neither names both', async () => {
    const [signed, described] = [await push(`${host}/either/signed`), await push(`${host}/either/described`)];
    await signers.get('red')?.sign(signed, 'Bundle');
    await release.attestSpdx(described, spdxPath);
    expectAdmitted(await scene.runPod('either', signed.tagged));
    expectAdmitted(await scene.runPod('either', described.tagged));
    const denial = denialOf(await scene.runPod('either', images['unsigned'].tagged));
    expect(denial).toContain('none of 2 ways is met: SignatureMissing');
    expect(denial).toContain('SbomMissing');
  });

  it('cross-checks hold provenance against a scan', async () => {
    const provenance = (repository: string): object => ({
      buildDefinition: {
        buildType: 'https://actions.github.io/buildtypes/workflow/v1',
        externalParameters: {
          workflow: {
            ref: 'refs/heads/main',
            repository: `https://github.com/${repository}`,
            path: '.github/workflows/release.yml',
          },
        },
        resolvedDependencies: [
          {
            uri: `git+https://github.com/${repository}@refs/heads/main`,
            digest: { gitCommit: '5f0c1d2e3b4a59687786958473625140fedcba98' },
          },
        ],
      },
      runDetails: { builder: { id: 'https://github.com/actions/runner' } },
    });
    const scan = (severity: string): object => ({
      invocation: {},
      scanner: {
        uri: 'pkg:github/aquasecurity/trivy@v0.60.0',
        result: {
          SchemaVersion: 2,
          ArtifactName: 'app',
          Results: [
            {
              Target: 'app',
              Class: 'os-pkgs',
              Vulnerabilities: [{ VulnerabilityID: 'CVE-2026-1', PkgName: 'a', Severity: severity }],
            },
          ],
        },
      },
      metadata: { scanStartedOn: '2026-01-01T00:00:00Z', scanFinishedOn: '2026-01-01T00:00:10Z' },
    });
    const make = async (name: string, repository: string, severity: string): Promise<SampleImage> => {
      const image = await push(`${host}/crossed/${name}`);
      await attest(image, 'slsaprovenance1', provenance(repository));
      await attest(image, 'vuln', scan(severity));
      return image;
    };
    const good = await make('good', 'acme/shop', 'LOW');
    const critical = await make('critical', 'acme/shop', 'CRITICAL');
    const elsewhere = await make('elsewhere', 'mallory/shop', 'LOW');
    expectAdmitted(await scene.runPod('cross-checked', good.tagged));
    expect(denialOf(await scene.runPod('cross-checked', critical.tagged))).toContain(
      'it has critical vulnerabilities',
    );
    expect(denialOf(await scene.runPod('cross-checked', elsewhere.tagged))).toContain(
      'it was built elsewhere',
    );
  });
});
