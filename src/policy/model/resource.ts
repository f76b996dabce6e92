import { RefwardenError } from '../../failures/failure.ts';
import { artifactPolicyException } from './artifact-policy-exception.ts';
import type { ArtifactPolicyException } from './artifact-policy-exception.ts';
import { artifactPolicy, clusterArtifactPolicy, namespaceOf } from './artifact-policy.ts';
import type { ArtifactPolicy, ClusterArtifactPolicy } from './artifact-policy.ts';
import { describeIssues } from './describe-issues.ts';
import { groupVersion } from './metadata.ts';
import { trustedIssuer } from './trusted-issuer.ts';
import type { TrustedIssuer } from './trusted-issuer.ts';

/** Every kind of the group, with the schema that its CRD is generated from. */
export const resourceSchemas = {
  TrustedIssuer: trustedIssuer,
  ClusterArtifactPolicy: clusterArtifactPolicy,
  ArtifactPolicy: artifactPolicy,
  ArtifactPolicyException: artifactPolicyException,
} as const;
export type ResourceKind = keyof typeof resourceSchemas;

/** As URLs, roles and webhook rules name them. */
export const resourcePlurals: Readonly<Record<ResourceKind, string>> = {
  TrustedIssuer: 'trustedissuers',
  ClusterArtifactPolicy: 'clusterartifactpolicies',
  ArtifactPolicy: 'artifactpolicies',
  ArtifactPolicyException: 'artifactpolicyexceptions',
};

export type Resource = TrustedIssuer | ClusterArtifactPolicy | ArtifactPolicy | ArtifactPolicyException;

/** What requires something of images; the other kinds say who is trusted, and what is excepted. */
export const isPolicy = (resource: Resource): resource is ClusterArtifactPolicy | ArtifactPolicy =>
  resource.kind === 'ClusterArtifactPolicy' || resource.kind === 'ArtifactPolicy';

/** How an object is called across updates: `ClusterArtifactPolicy/prod-release`, `ArtifactPolicy/ns/name`. */
export function resourceKey(resource: Resource): string {
  const { name } = resource.metadata;
  return resource.kind === 'ArtifactPolicy'
    ? `${resource.kind}/${namespaceOf(resource)}/${name}`
    : `${resource.kind}/${name}`;
}

const isResourceKind = (kind: unknown): kind is ResourceKind =>
  typeof kind === 'string' && Object.hasOwn(resourceSchemas, kind);

/**
 * Parses an object of the group `refwarden.dev`, from a file or from the API server.
 * @param where names the source in messages: `policies/prod.yaml, document 2`.
 * @throws RefwardenError `PolicyInvalid` (`IssuerInvalid` for a TrustedIssuer): what, where, and every field at fault.
 */
export function parseResource(value: unknown, where: string): Resource {
  const { apiVersion, kind } = (typeof value === 'object' && value !== null ? value : {}) as Record<
    string,
    unknown
  >;
  if (!isResourceKind(kind) || apiVersion !== groupVersion) {
    const kinds = Object.keys(resourceSchemas).join(', ');
    throw new RefwardenError(
      'PolicyInvalid',
      `${where}: apiVersion ${show(apiVersion)} and kind ${show(kind)} are not of Refwarden; it reads ${groupVersion} ${kinds}.`,
    );
  }
  // What others write into the status makes no policy invalid.
  const parsed = resourceSchemas[kind].safeParse({ ...(value as object), status: undefined });
  if (parsed.success) return parsed.data;
  const problems = describeIssues(parsed.error.issues);
  throw new RefwardenError(
    kind === 'TrustedIssuer' ? 'IssuerInvalid' : 'PolicyInvalid',
    `${where}: ${kind} ${nameOf(value)}: ${problems}.`,
  );
}

/** JSON of it, as far as a message has room. */
const show = (value: unknown): string =>
  value === undefined ? 'undefined' : JSON.stringify(value).slice(0, 100);

function nameOf(value: unknown): string {
  const metadata = (value as { metadata?: { name?: unknown } }).metadata;
  return typeof metadata?.name === 'string' ? metadata.name.slice(0, 253) : '(without a name)';
}
