import { failure } from '../../src/failures/failure.ts';
import type { Failure } from '../../src/failures/failure.ts';
import { compilePolicies } from '../../src/policy/compile.ts';
import type { CompileSupport, UnreadablePolicy } from '../../src/policy/compile.ts';
import type { Mode } from '../../src/policy/model/artifact-policy.ts';
import { parseResource } from '../../src/policy/model/resource.ts';
import type { Resource } from '../../src/policy/model/resource.ts';
import type { NoMatch, PolicySnapshot } from '../../src/policy/snapshot.ts';

export type Fields = Readonly<Record<string, unknown>>;

const apiVersion = 'refwarden.dev/v1alpha1';

/** Unparsed resources, as an author writes them. */
export const clusterPolicy = (name: string, spec: Fields): Fields => ({
  apiVersion,
  kind: 'ClusterArtifactPolicy',
  metadata: { name },
  spec: { images: ['**'], ...spec },
});
export const namespacedPolicy = (namespace: string, name: string, spec: Fields): Fields => ({
  apiVersion,
  kind: 'ArtifactPolicy',
  metadata: { name, namespace },
  spec: { images: ['**'], ...spec },
});
/** Of every requirement of the policy `prod` in namespace `shop`, until 2100. */
export const exception = (name: string, spec: Fields, metadata: Fields = {}): Fields => ({
  apiVersion,
  kind: 'ArtifactPolicyException',
  metadata: { name, ...metadata },
  spec: {
    namespaces: ['shop'],
    policies: [{ name: 'prod', requirements: ['All'] }],
    reason: 'INC-4711',
    expiresAt: '2100-01-01T00:00:00Z',
    ...spec,
  },
});
export const issuer = (name: string, spec: Fields): Fields => ({
  apiVersion,
  kind: 'TrustedIssuer',
  metadata: { name },
  spec,
});
/** A key issuer; nothing here verifies with it, so that the text only has to differ. */
export const keyIssuer = (name: string, pem = `key of ${name}`): Fields => issuer(name, { key: { pem } });

/** One whose evidence is dated. */
export const keylessIssuer = (name: string): Fields =>
  issuer(name, { keyless: { identities: [{ issuer: 'https://id.example', subject: name }] } });

export const signedBy = (...issuers: string[]): Fields => ({ name: 'signed', signature: { issuers } });
export const sbomBy = (...issuers: string[]): Fields => ({
  name: 'sbom',
  sbom: { formats: ['SPDX'], issuers },
});

export const parse = (resource: Fields): Resource => parseResource(resource, 'test.yaml');

/** Takes every expression for one that names nothing. */
export const trusting: CompileSupport = {
  material: () => '{"root":"of trust"}',
  check: () => undefined,
  checkExpression: () => ({ uses: [] }),
};
export const withoutMaterial = (failure: Failure): CompileSupport => ({
  ...trusting,
  material: () => failure,
});

export function compile(
  resources: readonly Fields[],
  noMatch?: NoMatch,
  trust = trusting,
  unreadable: readonly UnreadablePolicy[] = [],
): PolicySnapshot {
  return compilePolicies(resources.map(parse), trust, { noMatch, unreadable });
}

/** A policy whose text the API server has taken and that does not parse. */
export const unreadable = (name: string, mode: Mode = 'Enforce', namespace?: string): UnreadablePolicy => ({
  name,
  namespace,
  mode,
  failure: failure('PolicyInvalid', 'spec.images.0: is not known.'),
});
