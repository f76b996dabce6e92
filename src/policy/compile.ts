import { failure, toFailure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import { compileImagePattern } from '../image/pattern.ts';
import type { ImagePattern } from '../image/pattern.ts';
import { compileIssuer } from './compile-issuer.ts';
import type { IssuerTrust } from './compile-issuer.ts';
import type { ArtifactPolicy, ClusterArtifactPolicy } from './model/artifact-policy.ts';
import type { Requirement } from './model/requirement.ts';
import type { Resource } from './model/resource.ts';
import type { ResolvedIssuer } from './resolved-issuer.ts';
import type { CompiledPolicy, CompiledRequirement, NoMatch, PolicySnapshot } from './snapshot.ts';

/**
 * Compiles the resources in force. Never throws for what a resource says: a policy that cannot be applied
 * stays in the snapshot, matches what it guards as far as that can be told, and fails there.
 */
export function compilePolicies(
  resources: readonly Resource[],
  trust: IssuerTrust,
  noMatch: NoMatch = 'Admit',
): PolicySnapshot {
  const issuers = new Map<string, ResolvedIssuer | Failure>();
  const policies: (ClusterArtifactPolicy | ArtifactPolicy)[] = [];
  for (const resource of resources) {
    if (resource.kind !== 'TrustedIssuer') {
      policies.push(resource);
      continue;
    }
    const { name } = resource.metadata;
    // Two files may define it differently, and nobody would know which of them is trusted.
    const again = failure('IssuerInvalid', `TrustedIssuer ${name} is defined more than once.`);
    issuers.set(name, issuers.has(name) ? again : compileIssuer(resource, trust));
  }
  return { policies: policies.map((policy) => compilePolicy(policy, issuers)), noMatch };
}

/** Why policies of a snapshot are not ready, one line a requirement; empty when all are. */
export function notReady(
  snapshot: PolicySnapshot,
): readonly { policy: string; requirement: string; failure: Failure }[] {
  return snapshot.policies.flatMap((policy) =>
    policy.requirements.flatMap(({ name, notReady: problem }) =>
      problem === undefined ? [] : [{ policy: policy.name, requirement: name, failure: problem }],
    ),
  );
}

function compilePolicy(
  { kind, metadata, spec }: ClusterArtifactPolicy | ArtifactPolicy,
  issuers: ReadonlyMap<string, ResolvedIssuer | Failure>,
): CompiledPolicy {
  const images = compilePatterns(spec.images);
  const excluded = compilePatterns(spec.excludeImages ?? []);
  const problem = images.problem ?? excluded.problem;
  const requirements = spec.require.map((requirement) => compileRequirement(requirement, issuers));
  return {
    name: metadata.name,
    ...(kind === 'ArtifactPolicy' ? { namespace: metadata.namespace ?? 'default' } : {}),
    mode: spec.mode,
    workloads: spec.workloads,
    onInconclusive: spec.onInconclusive,
    ...('namespaces' in spec && spec.namespaces !== undefined ? { namespaces: spec.namespaces } : {}),
    // Where a pattern does not compile it is open what it would select, or leave out: all of it, and nothing.
    images: images.problem === undefined ? images.patterns : compilePatterns(['**']).patterns,
    excludeImages: excluded.patterns,
    requirements:
      problem === undefined
        ? requirements
        : requirements.map((requirement) => ({ ...requirement, notReady: problem })),
  };
}

function compilePatterns(texts: readonly string[]): { patterns: ImagePattern[]; problem?: Failure } {
  try {
    return { patterns: texts.map(compileImagePattern) };
  } catch (error) {
    return { patterns: [], problem: toFailure(error) };
  }
}

function compileRequirement(
  requirement: Requirement,
  known: ReadonlyMap<string, ResolvedIssuer | Failure>,
): CompiledRequirement {
  const { name, signature, sbom, attestation, pinned } = requirement;
  if (pinned === true) return { kind: 'pinned', name };
  if (signature !== undefined) {
    const { minimumIssuers, inheritFromIndex } = signature;
    return {
      kind: 'signature',
      name,
      minimumIssuers,
      inheritFromIndex,
      ...findIssuers(signature.issuers, known),
    };
  }
  if (sbom !== undefined) {
    return {
      kind: 'sbom',
      name,
      formats: sbom.formats,
      ...age(sbom.maxAge),
      ...findIssuers(sbom.issuers, known),
    };
  }
  if (attestation !== undefined) {
    const { predicateType, maxAge, issuers } = attestation;
    return { kind: 'attestation', name, predicateType, ...age(maxAge), ...findIssuers(issuers, known) };
  }
  return {
    kind: 'pinned',
    name,
    notReady: failure('PolicyNotReady', `Requirement ${name} asks for nothing that is built.`),
  };
}

function findIssuers(
  names: readonly string[],
  known: ReadonlyMap<string, ResolvedIssuer | Failure>,
): { issuers: ResolvedIssuer[]; notReady?: Failure } {
  const issuers: ResolvedIssuer[] = [];
  for (const name of names) {
    const issuer = known.get(name);
    if (issuer === undefined)
      return { issuers: [], notReady: failure('PolicyNotReady', `There is no TrustedIssuer ${name}.`) };
    if ('code' in issuer) return { issuers: [], notReady: failure('PolicyNotReady', issuer.message) };
    issuers.push(issuer);
  }
  if (issuers.length === 0) return { issuers, notReady: failure('PolicyNotReady', 'It lists no issuer.') };
  return { issuers };
}

const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

function age(text: string | undefined): { maxAgeMs?: number } {
  if (text === undefined) return {};
  return { maxAgeMs: Number(text.slice(0, -1)) * unitMs[text.slice(-1) as keyof typeof unitMs] };
}
