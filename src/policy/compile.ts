import { failure, toFailure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import { compileImagePattern } from '../image/pattern.ts';
import type { ImagePattern } from '../image/pattern.ts';
import { parseRepository, repositoryName } from '../image/reference.ts';
import type { Repository } from '../image/reference.ts';
import type { Platform } from '../oci/descriptor.ts';
import { parsePlatform } from '../oci/platform.ts';
import { compileIssuer } from './compile-issuer.ts';
import type { IssuerTrust } from './compile-issuer.ts';
import { namespaceOf } from './model/artifact-policy.ts';
import type { ArtifactPolicy, ClusterArtifactPolicy } from './model/artifact-policy.ts';
import { allPlatforms } from './model/requirement.ts';
import type { Requirement } from './model/requirement.ts';
import type { Resource } from './model/resource.ts';
import { indexPolicies } from './policy-index.ts';
import { policyName } from './policy-name.ts';
import type { ResolvedIssuer } from './resolved-issuer.ts';
import type {
  CompiledPolicy,
  CompiledRequirement,
  EvidenceRequirement,
  NoMatch,
  PolicySnapshot,
  UnreadyRequirement,
} from './snapshot.ts';

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
  const compiled = policies.map((policy) => compilePolicy(policy, issuers));
  return { policies: compiled, index: indexPolicies(compiled), noMatch };
}

/** Why policies of a snapshot (by {@link policyName}) are not ready, one line a requirement; empty when all are. */
export function notReady(
  snapshot: PolicySnapshot,
): readonly { policy: string; requirement: string; failure: Failure }[] {
  return snapshot.policies.flatMap((policy) =>
    policy.requirements.flatMap(({ name, notReady: problem }) =>
      problem === undefined ? [] : [{ policy: policyName(policy), requirement: name, failure: problem }],
    ),
  );
}

function compilePolicy(
  policy: ClusterArtifactPolicy | ArtifactPolicy,
  issuers: ReadonlyMap<string, ResolvedIssuer | Failure>,
): CompiledPolicy {
  const { metadata, spec } = policy;
  const images = compilePatterns(spec.images);
  const excluded = compilePatterns(spec.excludeImages ?? []);
  const problem = images.problem ?? excluded.problem;
  const [first, ...others] = spec.require.map((requirement) =>
    problem === undefined ? compileRequirement(requirement, issuers) : unready(requirement.name, problem),
  );
  return {
    name: metadata.name,
    ...(policy.kind === 'ArtifactPolicy' ? { namespace: namespaceOf(policy) } : {}),
    mode: spec.mode,
    workloads: spec.workloads,
    onInconclusive: spec.onInconclusive,
    ...('namespaces' in spec && spec.namespaces !== undefined ? { namespaces: spec.namespaces } : {}),
    // Where a pattern does not compile it is open what it would select, or leave out: all of it, and nothing.
    images: images.problem === undefined ? images.patterns : compilePatterns(['**']).patterns,
    excludeImages: excluded.patterns,
    evidenceRepositories: compileRepositories(spec.evidenceRepositories ?? []),
    indexTags: spec.indexTags ?? [],
    requirements: [first ?? unready('require', nothingRequired), ...others],
  };
}

function compilePatterns(texts: readonly string[]): { patterns: ImagePattern[]; problem?: Failure } {
  try {
    return { patterns: texts.map(compileImagePattern) };
  } catch (error) {
    return { patterns: [], problem: toFailure(error) };
  }
}

/** The same repository once, under whatever name; the model has refused what is none. */
function compileRepositories(texts: readonly string[]): Repository[] {
  const repositories = texts.map(parseRepository);
  return [...new Map(repositories.map((each) => [repositoryName(each), each])).values()];
}

const nothingRequired = failure('PolicyNotReady', 'It requires nothing.');
const unready = (name: string, notReady: Failure): UnreadyRequirement => ({
  kind: 'unready',
  name,
  notReady,
});

function compileRequirement(
  { name, signature, sbom, attestation, pinned }: Requirement,
  known: ReadonlyMap<string, ResolvedIssuer | Failure>,
): CompiledRequirement {
  const issued = (
    asked: { readonly issuers: readonly string[] },
    compiled: (issuers: EvidenceRequirement['issuers']) => EvidenceRequirement,
  ): CompiledRequirement => {
    const issuers = findIssuers(asked.issuers, known);
    return 'code' in issuers ? unready(name, issuers) : compiled(issuers);
  };
  if (pinned === true) return { kind: 'pinned', name };
  if (signature !== undefined) {
    const { minimumIssuers, inheritFromIndex } = signature;
    return issued(signature, (issuers) => ({
      kind: 'signature',
      name,
      minimumIssuers,
      inheritFromIndex,
      ...platformsOf(signature.platforms),
      issuers,
    }));
  }
  if (sbom !== undefined) {
    const { formats, maxAge } = sbom;
    return issued(sbom, (issuers) => ({
      kind: 'sbom',
      name,
      formats,
      ...age(maxAge),
      ...platformsOf(sbom.platforms),
      issuers,
    }));
  }
  if (attestation !== undefined) {
    const { predicateType, maxAge } = attestation;
    return issued(attestation, (issuers) => ({
      kind: 'attestation',
      name,
      predicateType,
      ...age(maxAge),
      ...platformsOf(attestation.platforms),
      issuers,
    }));
  }
  return unready(name, failure('PolicyNotReady', 'It asks for nothing that is built.'));
}

function findIssuers(
  names: readonly string[],
  known: ReadonlyMap<string, ResolvedIssuer | Failure>,
): EvidenceRequirement['issuers'] | Failure {
  const found: ResolvedIssuer[] = [];
  for (const name of names) {
    const issuer = known.get(name);
    if (issuer === undefined) return failure('PolicyNotReady', `There is no TrustedIssuer ${name}.`);
    if ('code' in issuer) return failure('PolicyNotReady', issuer.message);
    found.push(issuer);
  }
  const [first, ...others] = found;
  return first === undefined ? failure('PolicyNotReady', 'It lists no issuer.') : [first, ...others];
}

/** A name that is none matches no child, so that the requirement fails. */
function platformsOf(names: readonly string[] | undefined): { platforms?: 'All' | readonly Platform[] } {
  if (names === undefined) return {};
  if (names.includes(allPlatforms)) return { platforms: allPlatforms };
  return { platforms: names.map((name) => parsePlatform(name) ?? { os: name, architecture: '' }) };
}

const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

function age(text: string | undefined): { maxAgeMs?: number } {
  if (text === undefined) return {};
  return { maxAgeMs: Number(text.slice(0, -1)) * unitMs[text.slice(-1) as keyof typeof unitMs] };
}
