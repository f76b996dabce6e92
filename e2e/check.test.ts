import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { apiVersion, signedBy, spdxBy } from './objects/policy.ts';
import { freePort } from './processes/free-ports.ts';
import { runCommand } from './processes/run-command.ts';
import { makeTemporaryDirectory } from './processes/temporary-directory.ts';
import { refwardenCommand } from './webhook/refwarden-command.ts';
import { suiteStack } from './world/suite-stack.ts';
import { releaseKey, releaseNotationIssuer, releasePersonIssuer } from './world/trust.ts';

const { registries, trust, oidcIssuer } = inject('world');

interface Answer {
  readonly verdict: string;
  readonly images: readonly {
    readonly image: string;
    readonly reference: string;
    readonly digest?: string;
    readonly outcome: string;
    readonly checks: readonly {
      readonly policy: string;
      readonly requirement: string;
      readonly outcome: string;
      readonly code?: string;
      readonly evidence: readonly object[];
    }[];
  }[];
  readonly requests: { readonly total: number; readonly sequential: number };
}

const stack = suiteStack();
let policies: string;
let deadHost: string;
beforeAll(async () => {
  deadHost = `127.0.0.1:${await freePort()}`;
  const directory = await makeTemporaryDirectory('check');
  stack.defer(() => directory.remove());
  policies = directory.path;
  const policy = (name: string, images: string[], require: object[]): object => ({
    apiVersion,
    kind: 'ClusterArtifactPolicy',
    metadata: { name },
    spec: { images: images.map((image) => `127.0.0.1:*/e2e/${image}`), require },
  });
  const resources = [
    ...trust,
    policy('all-signed', ['*'], [signedBy(releaseKey, releasePersonIssuer, releaseNotationIssuer)]),
    policy('attested', ['attested', 'signed-bundle'], [spdxBy(releaseKey)]),
  ];
  for (const [i, resource] of resources.entries())
    await writeFile(join(policies, `${i}.json`), JSON.stringify(resource));
});

describe.each(registries)('refwarden check, registry $name', ({ host, images, mechanism }) => {
  it.each([
    { image: 'signed-legacy', exit: 0, verdict: 'admitted', checks: ['signed passed'] },
    { image: 'signed-keyless', exit: 0, verdict: 'admitted', checks: ['signed passed'] },
    { image: 'signed-notation-jws', exit: 0, verdict: 'admitted', checks: ['signed passed'] },
    { image: 'signed-notation-cose', exit: 0, verdict: 'admitted', checks: ['signed passed'] },
    { image: 'signed-notation-by-stranger', exit: 1, verdict: 'denied', checks: ['signed SignerNotTrusted'] },
    { image: 'attested', exit: 0, verdict: 'admitted', checks: ['signed passed', 'sbom passed'] },
    { image: 'unsigned', exit: 1, verdict: 'denied', checks: ['signed SignatureMissing'] },
    { image: 'signed-by-stranger', exit: 1, verdict: 'denied', checks: ['signed SignerNotTrusted'] },
    { image: 'signed-by-somebody', exit: 1, verdict: 'denied', checks: ['signed SignerNotTrusted'] },
    { image: 'signed-bundle', exit: 1, verdict: 'denied', checks: ['signed passed', 'sbom SbomMissing'] },
  ] as const)('$image: $verdict', async ({ image: name, exit, verdict, checks }) => {
    const { tagged, pinned } = images[name];
    const { code, answer } = await check(host, tagged);
    expect(code).toBe(exit);
    expect(answer).toMatchObject({
      verdict,
      images: [{ image: tagged, reference: tagged, digest: pinned.split('@')[1] }],
    });
    expect(
      answer.images.flatMap((image) =>
        image.checks.map((each) => `${each.requirement} ${each.code ?? each.outcome}`),
      ),
    ).toEqual(checks);
    expect(answer.requests.total).toBeGreaterThanOrEqual(answer.requests.sequential);
    expect(answer.requests.sequential).toBeGreaterThan(0);
  });

  it('names the signer that counted, and how the signature was found', async () => {
    const { answer } = await check(host, images['signed-keyless'].tagged);
    expect(answer.images[0]?.checks[0]?.evidence).toMatchObject([
      { issuer: releasePersonIssuer, signer: { kind: 'keyless', issuer: oidcIssuer }, mechanism },
    ]);
  });
});

describe('refwarden check, registry down', () => {
  it('is inconclusive', async () => {
    const { code, answer } = await check(deadHost, `${deadHost}/e2e/unsigned:1.0`);
    expect(code).toBe(3);
    expect(answer).toMatchObject({
      verdict: 'inconclusive',
      images: [{ outcome: 'inconclusive', checks: [{ requirement: 'signed', code: 'RegistryUnavailable' }] }],
    });
  });
});

async function check(host: string, image: string): Promise<{ code: number; answer: Answer }> {
  const [file, args] = refwardenCommand('check', image, `--policies=${policies}`, `--plain-http=${host}`);
  const env = { DOCKER_CONFIG: policies, POD_NAMESPACE: undefined };
  const { code, stdout, stderr } = await runCommand(file, [...args, '--output=json'], { env });
  expect(stderr).toBe('');
  return { code, answer: JSON.parse(stdout) as Answer };
}
