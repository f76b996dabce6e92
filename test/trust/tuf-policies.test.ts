import { describe, expect, it, onTestFinished } from 'vitest';
import { openDirectory } from '../../src/directory/open-directory.ts';
import { createTrustSource } from '../../src/trust/trust-source.ts';
import { checkExpression } from '../../src/verification/expression/check-expression.ts';
import { checkIssuerMaterial } from '../../src/verification/issuer-material.ts';
import { readTrust } from '../support/cosign-fixture.ts';
import { writePolicyDirectory } from '../support/policy-directory.ts';
import { TufRepository } from '../support/tuf-repository.ts';
import { until } from '../support/until.ts';
import { again, openMirrors, serveMirror } from './served-mirror.ts';

const groupVersion = 'refwarden.dev/v1alpha1';
const policy = (name: string, issuer: string): object => ({
  apiVersion: groupVersion,
  kind: 'ClusterArtifactPolicy',
  metadata: { name },
  spec: { images: ['**'], require: [{ name: 'signed', signature: { issuers: [issuer] } }] },
});
const issuer = (name: string, spec: object): object => ({
  apiVersion: groupVersion,
  kind: 'TrustedIssuer',
  metadata: { name },
  spec,
});

/** A directory with an issuer of a key and one of a TUF mirror, read once and not again. */
async function opened(repository: TufRepository, host: string) {
  const tuf = { mirror: `http://${host}`, root: repository.root };
  const keyless = {
    identities: [{ issuer: 'https://idp.example', subject: 'me@acme.example' }],
    trustedRoot: { tuf },
    sct: 'NotRequired',
  };
  const items = [
    issuer('release', { key: { pem: readTrust('release.pub') } }),
    issuer('people', { keyless }),
    policy('by-key', 'release'),
    policy('keyless', 'people'),
  ];
  const directory = await writePolicyDirectory({
    'policies.json': JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
  });
  const { mirrors } = openMirrors([host], { timing: again });
  const trust = createTrustSource({ mirrors });
  const source = await openDirectory({
    path: directory.path,
    watch: false,
    noMatch: 'Deny',
    checkExpression,
    trustFor: () => ({ material: (reference) => trust.material(reference), check: checkIssuerMaterial }),
    onTrustChange: (changed) => mirrors.subscribe(changed),
  });
  onTestFinished(async () => {
    await source.close();
    await directory[Symbol.asyncDispose]();
  });
  const requirement = (name: string): unknown =>
    source.snapshot()?.policies.find((each) => each.name === name)?.requirements[0];
  return { requirement };
}

describe('policies with a trusted root of a TUF mirror', () => {
  it('T28 are in force at once, and the mirror keeps only its own from being ready', async () => {
    const repository = new TufRepository();
    repository.publish(readTrust('trusted-root.json'));
    const mirror = await serveMirror(repository);
    mirror.intercept = () => true;
    const { requirement } = await opened(repository, mirror.host);
    expect(requirement('by-key')).toMatchObject({ kind: 'signature', issuers: [{ name: 'release' }] });
    expect(requirement('keyless')).toMatchObject({
      kind: 'unready',
      notReady: {
        code: 'PolicyNotReady',
        message: `TrustedIssuer people: The TUF mirror ${mirror.host} has not been read yet: it is being asked.`,
      },
    });
  });

  it('T34 follow the mirror without anything else that happens: first reading, rotation, withdrawal', async () => {
    const repository = new TufRepository();
    const whole = JSON.parse(readTrust('trusted-root.json')) as Record<string, unknown>;
    repository.publish(JSON.stringify(whole));
    const mirror = await serveMirror(repository);
    const { requirement } = await opened(repository, mirror.host);
    const issuers = () =>
      (requirement('keyless') as { issuers?: readonly { fingerprint: string }[] }).issuers;
    await until(() => {
      expect(issuers()).toMatchObject([{ name: 'people' }]);
    });
    const [before] = issuers() ?? [];
    repository.publish(JSON.stringify(whole, null, 1));
    await until(() => {
      expect(issuers()?.[0]?.fingerprint).not.toBe(before?.fingerprint);
    });
    repository.publish(JSON.stringify({ ...whole, certificateAuthorities: [] }));
    await until(() => {
      expect(requirement('keyless')).toMatchObject({
        kind: 'unready',
        notReady: {
          message:
            'TrustedIssuer people: The trusted root of issuer people has no usable certificate authority.',
        },
      });
    });
  });
});
