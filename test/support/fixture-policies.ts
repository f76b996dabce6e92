import { readFileSync } from 'node:fs';

const trust = new URL('../fixtures/cosign/trust/', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, trust), 'utf8');

const identity = JSON.parse(read('identity.json')) as {
  issuer: string;
  subject: string;
  github: { issuer: string; subject: string };
};

const groupVersion = 'refwarden.dev/v1alpha1';
interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: object;
}

const object = (kind: string, name: string, spec: object): Resource => ({
  apiVersion: groupVersion,
  kind,
  metadata: { name },
  spec,
});

const keyless = (identities: object[]): object => ({
  keyless: {
    identities,
    trustedRoot: { inline: read('trusted-root.json') },
    sct: 'NotRequired',
    signedTimestamp: 'Required',
  },
});

/** The issuers of test/fixtures/cosign, by name. */
const fixtureIssuers: readonly Resource[] = [
  ...['release', 'second', 'rsa', 'ed25519'].map((name) =>
    object('TrustedIssuer', name, { key: { pem: read(`${name}.pub`) } }),
  ),
  object('TrustedIssuer', 'release-again', { key: { pem: read('release.pub') } }),
  object('TrustedIssuer', 'people', keyless([{ issuer: identity.issuer, subject: identity.subject }])),
  object('TrustedIssuer', 'others', keyless([{ issuer: identity.issuer, subject: `x${identity.subject}` }])),
  object(
    'TrustedIssuer',
    'workflow',
    keyless([
      {
        issuer: identity.github.issuer,
        subjectPattern: 'https://github\\.com/acme/shop/\\.github/workflows/release\\.yml@refs/tags/v.*',
        extensions: {
          sourceRepositoryURI: 'https://github.com/acme/shop',
          sourceRepositoryIdentifier: '700100200',
        },
      },
    ]),
  ),
];

/** A policy directory file: one policy with this requirement for every image, and the issuers that it names. */
export function fixturePolicy(requirement: object, spec: object = {}): string {
  const policy = object('ClusterArtifactPolicy', 'p', {
    images: ['**'],
    require: [{ name: 'r', ...requirement }],
    ...spec,
  });
  const text = JSON.stringify(policy);
  const issuers = fixtureIssuers.filter(({ metadata }) => text.includes(JSON.stringify(metadata.name)));
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [...issuers, policy] });
}

export const signedBy = (...issuers: string[]): object => ({ signature: { issuers } });
export const sbomBy = (...issuers: string[]): object => ({ sbom: { formats: ['SPDX'], issuers } });
export const attestedBy = (predicateType: string, ...issuers: string[]): object => ({
  attestation: { predicateType, issuers },
});
