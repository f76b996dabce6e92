import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Mechanism } from '../src/policy/evidence.ts';
import { makeReferrers } from './images/make-referrers.ts';
import type { ReferrerImages, ReferrerName, ReferrerTools } from './images/make-referrers.ts';
import { makeKeys } from './images/make-keys.ts';
import { digestOf } from './images/sample-image.ts';
import { apiVersion, signedBy, spdxBy } from './objects/policy.ts';
import { runCommand } from './processes/run-command.ts';
import { makeTemporaryDirectory } from './processes/temporary-directory.ts';
import { startDemoRegistry } from './registries/demo-registry.ts';
import { startDistribution } from './registries/distribution.ts';
import { startGgcrRegistry } from './registries/ggcr-registry.ts';
import { startOciregistry } from './registries/ociregistry.ts';
import type { RunningRegistry } from './registries/running-registry.ts';
import { makeCosign } from './tools/cosign.ts';
import { makeCrane } from './tools/crane.ts';
import type { Crane } from './tools/crane.ts';
import { makeOras } from './tools/oras.ts';
import { makeRegctl } from './tools/regctl.ts';
import { refwardenCommand } from './webhook/refwarden-command.ts';
import { suiteStack } from './world/suite-stack.ts';
import { keyIssuer, releaseKey } from './world/trust.ts';

interface RegistryCase {
  readonly name: string;
  readonly start: () => Promise<RunningRegistry>;
  /** How tools and Refwarden find each other there. */
  readonly mechanism: Mechanism;
  /** Artifact types in its listing, where they are not those of the artifacts. */
  readonly listedTypes?: readonly string[];
}

/** What refers to `signed/among-others`. */
const attachedTypes = ['application/vnd.dev.sigstore.bundle.v0.3+json', 'text/scan', 'text/spdx'];

const registries: readonly RegistryCase[] = [
  { name: 'distribution 3', start: startDistribution, mechanism: 'FallbackTag' },
  {
    name: 'go-containerregistry, with referrers',
    start: startGgcrRegistry,
    mechanism: 'Referrers',
    listedTypes: Array<string>(3).fill('application/vnd.oci.empty.v1+json'),
  },
  { name: 'ociregistry', start: startOciregistry, mechanism: 'Referrers' },
  {
    name: 'the embedded registry, with referrers',
    start: () => startDemoRegistry('Referrers'),
    mechanism: 'Referrers',
  },
  {
    name: 'the embedded registry, without any API',
    start: () => startDemoRegistry('FallbackTag'),
    mechanism: 'FallbackTag',
  },
];

/** Every image with what `refwarden check` has to say: the code of the check that stands in the way, or how it was found. */
const expected: Readonly<Record<ReferrerName, (mechanism: Mechanism) => string>> = {
  'signed/bundle': (mechanism) => `passed ${mechanism}`,
  'signed/legacy': () => 'passed CosignTag',
  'signed/bundle-by-oras': (mechanism) => `passed ${mechanism}`,
  'signed/bundle-by-regctl': (mechanism) => `passed ${mechanism}`,
  'signed/among-others': (mechanism) => `passed ${mechanism}`,
  'signed/sbom': (mechanism) => `passed ${mechanism}`,
  'signed/unsigned': () => 'failed SignatureMissing',
  'signed/by-stranger': () => 'failed SignerNotTrusted',
  'signed/of-another': () => 'failed SubjectMismatch',
  'sbom/attested': (mechanism) => `passed ${mechanism}`,
  'sbom/attached-signed': (mechanism) => `passed ${mechanism}`,
  'sbom/attached-unsigned': () => 'failed VoucherMissing',
};

const stack = suiteStack();
let tools: ReferrerTools;
let crane: Crane;
let policies: string;
let publicKey: string;
beforeAll(async () => {
  const directory = await makeTemporaryDirectory('registries');
  stack.defer(() => directory.remove());
  const { path } = directory;
  const [cosign, oras, regctl] = await Promise.all([makeCosign(path), makeOras(path), makeRegctl(path)]);
  crane = await makeCrane(path);
  const pem = await makeKeys(cosign, path);
  publicKey = join(path, 'release.pub');
  tools = { cosign, oras, regctl, keysDirectory: path, scratch: path };
  policies = join(path, 'policies');
  await mkdir(policies);
  const policy = (name: string, requirement: object): object => ({
    apiVersion,
    kind: 'ClusterArtifactPolicy',
    metadata: { name },
    spec: { images: [`127.0.0.1:*/${name}/*`], require: [requirement] },
  });
  const resources = [
    keyIssuer(releaseKey, pem),
    policy('signed', signedBy(releaseKey)),
    policy('sbom', spdxBy(releaseKey)),
  ];
  for (const [i, resource] of resources.entries())
    await writeFile(join(policies, `${i}.json`), JSON.stringify(resource));
});

describe.each(registries)('$name', ({ start, mechanism, listedTypes = attachedTypes }) => {
  let host: string;
  let images: ReferrerImages;
  beforeAll(async () => {
    const registry = await start();
    stack.defer(() => registry.stop());
    host = registry.host;
    images = await makeReferrers(host, tools);
  });

  it('refwarden check admits what is signed, and denies what is not', async () => {
    const { answers, verdict } = await check(host, Object.values(images));
    const wanted = Object.entries(images).map(([image, reference]) => [
      reference,
      expected[image as ReferrerName](mechanism),
    ]);
    expect(answers).toEqual(Object.fromEntries(wanted));
    expect(verdict).toBe('denied');
  });

  it('cosign, oras, regctl and crane see and copy the same', async () => {
    const { cosign, oras, regctl, scratch } = tools;
    const image = images['signed/among-others'];
    const key = [`--key=${publicKey}`, '--insecure-ignore-tlog=true'];
    await cosign.run(['verify', ...key, '--new-bundle-format', image]);
    await cosign.run(['verify', ...key, '--new-bundle-format=false', images['signed/legacy']]);
    const refused = await cosign.attempt(['verify', ...key, images['signed/by-stranger']]);
    expect(refused.code).not.toBe(0);

    const found = await oras(['discover', '--plain-http', '--format=json', image]);
    const { referrers } = JSON.parse(found) as { referrers: { artifactType: string }[] };
    const seen = await regctl(host, ['artifact', 'list', image, `--format={{json .Descriptors}}`]);
    for (const listed of [referrers, JSON.parse(seen) as { artifactType: string }[]])
      expect(listed.map(({ artifactType }) => artifactType).toSorted()).toEqual(listedTypes);

    const copy = `${host}/copies/app`;
    await regctl(host, ['image', 'copy', '--referrers', image, `${copy}:1.0`]);
    await cosign.run(['verify', ...key, `${copy}@${digestOf(image)}`]);
    await crane(['copy', image, `${copy}:by-crane`]);
    expect(await crane(['digest', `${copy}:by-crane`])).toBe(digestOf(image));
    const layout = await mkdtemp(join(scratch, 'pulled-'));
    await crane(['pull', '--format=oci', image, layout]);
    expect(await readFile(join(layout, 'index.json'), 'utf8')).toContain(digestOf(image));
    await oras(['pull', '--plain-http', `--output=${layout}`, images['signed/sbom']]);
    expect(await readFile(join(layout, 'app.spdx.json'), 'utf8')).toContain('SPDX-2.3');
  });
});

interface Answer {
  readonly verdict: string;
  readonly images: readonly {
    readonly image: string;
    readonly checks: readonly {
      readonly outcome: string;
      readonly code?: string;
      readonly evidence: readonly { readonly mechanism: Mechanism }[];
    }[];
  }[];
}

/** One run for all images; to each its outcome with the failure code or the mechanism. */
async function check(
  host: string,
  images: readonly string[],
): Promise<{ verdict: string; answers: Record<string, string> }> {
  const flags = [`--policies=${policies}`, `--plain-http=${host}`, '--output=json'];
  const [file, args] = refwardenCommand('check', ...images, ...flags);
  const { stdout, stderr } = await runCommand(file, args, { env: { DOCKER_CONFIG: policies } });
  expect(stderr).toBe('');
  const answer = JSON.parse(stdout) as Answer;
  const answers = answer.images.map(({ image, checks }) => [
    image,
    checks.map(({ outcome, code, evidence }) => `${outcome} ${code ?? evidence[0]?.mechanism ?? ''}`).join(),
  ]);
  return { verdict: answer.verdict, answers: Object.fromEntries(answers) as Record<string, string> };
}
