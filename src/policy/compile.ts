import { failure, toFailure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import { compileImagePattern } from '../image/pattern.ts';
import type { ImagePattern } from '../image/pattern.ts';
import { parseRepository, repositoryName } from '../image/reference.ts';
import type { Repository } from '../image/reference.ts';
import { compileIssuer } from './compile-issuer.ts';
import type { IssuerTrust } from './compile-issuer.ts';
import { compileCrossChecks, compileRequirement, unready } from './compile-requirement.ts';
import type { CheckExpression, KnownIssuers } from './compile-requirement.ts';
import { compileException, defaultMaxExceptionMs, indexExceptions } from './exceptions.ts';
import { namespaceOf } from './model/artifact-policy.ts';
import type { ArtifactPolicy, ClusterArtifactPolicy, Mode } from './model/artifact-policy.ts';
import { isPolicy } from './model/resource.ts';
import type { Resource } from './model/resource.ts';
import { beyondBounds } from './policy-bounds.ts';
import { indexPolicies } from './policy-index.ts';
import { evidenceRequirements } from './requirements.ts';
import type { ResolvedIssuer } from './resolved-issuer.ts';
import type {
  CompiledException,
  CompiledPolicy,
  CompiledRequirement,
  NoMatch,
  PolicySnapshot,
} from './snapshot.ts';

/** What compiling needs from outside the room. */
export interface CompileSupport extends IssuerTrust {
  readonly checkExpression: CheckExpression;
}

/** A policy that cannot be read. */
export interface UnreadablePolicy {
  readonly name: string;
  /** Undefined = one of the cluster. */
  readonly namespace: string | undefined;
  readonly mode: Mode;
  readonly failure: Failure;
}

export interface CompileOptions {
  readonly noMatch?: NoMatch | undefined;
  /** Longest time that an exception counts after it was made, milliseconds. */
  readonly maxExceptionMs?: number | undefined;
  readonly unreadable?: readonly UnreadablePolicy[] | undefined;
}

/** All of {@link compileInPieces} at once. */
export function compilePolicies(
  resources: readonly Resource[],
  support: CompileSupport,
  options: CompileOptions = {},
): PolicySnapshot {
  const pieces = compileInPieces(resources, support, options);
  let next = pieces.next();
  while (next.done !== true) next = pieces.next();
  return next.value;
}

/**
 * Compiles the resources in force, a resource in each piece. Never throws for what a resource says: a policy that cannot be
 * applied stays in the snapshot, matches what it guards as far as that can be told, and fails there.
 */
export function* compileInPieces(
  resources: readonly Resource[],
  support: CompileSupport,
  { noMatch = 'Admit', maxExceptionMs = defaultMaxExceptionMs, unreadable = [] }: CompileOptions = {},
): Generator<void, PolicySnapshot> {
  const issuers = new Map<string, ResolvedIssuer | Failure>();
  const policies: (ClusterArtifactPolicy | ArtifactPolicy)[] = [];
  const exceptions: CompiledException[] = [];
  for (const resource of resources) {
    yield;
    if (isPolicy(resource)) policies.push(resource);
    else if (resource.kind === 'ArtifactPolicyException') {
      exceptions.push(compileException(resource, maxExceptionMs));
    } else {
      const { name } = resource.metadata;
      // Two files may define it differently, and nobody would know which of them is trusted.
      const again = failure('IssuerInvalid', `TrustedIssuer ${name} is defined more than once.`);
      issuers.set(name, issuers.has(name) ? again : compileIssuer(resource, support));
    }
  }
  const beyond = beyondBounds(policies);
  const standIns = unreadable.map(standIn);
  const compiled: CompiledPolicy[] = [];
  for (const policy of policies) {
    yield;
    const problem = beyond.get(policy);
    if (problem === undefined || policy.kind === 'ClusterArtifactPolicy') {
      compiled.push(compilePolicy(policy, issuers, support, problem));
    } else {
      const { metadata, spec } = policy;
      const about = { name: metadata.name, namespace: namespaceOf(policy), mode: spec.mode };
      standIns.push(standIn({ ...about, failure: problem }));
    }
  }
  return {
    resources: new Set(resources),
    policies: [...compiled, ...standIns],
    index: indexPolicies([...compiled, ...oneOfEachNamespaceAndMode(standIns)]),
    exceptions: indexExceptions(exceptions),
    issuers,
    noMatch,
  };
}

export function compilePolicy(
  policy: ClusterArtifactPolicy | ArtifactPolicy,
  issuers: KnownIssuers,
  { checkExpression }: CompileSupport,
  beyond?: Failure,
): CompiledPolicy {
  const { metadata, spec } = policy;
  const images = compilePatterns(spec.images);
  const excluded = compilePatterns(spec.excludeImages ?? []);
  const problem = images.problem ?? excluded.problem ?? beyond;
  const required = spec.require.map((requirement) =>
    problem === undefined
      ? compileRequirement(requirement, issuers, checkExpression)
      : unready(requirement.name, problem),
  );
  const crossChecks =
    spec.crossChecks === undefined || required.length === 0 || problem !== undefined
      ? []
      : [compileCrossChecks(spec.crossChecks, required, checkExpression)];
  const [first, ...others] = [...required, ...crossChecks];
  const namespaces = 'namespaces' in spec ? spec.namespaces : undefined;
  return {
    name: metadata.name,
    ...(policy.kind === 'ArtifactPolicy' ? { namespace: namespaceOf(policy) } : {}),
    mode: spec.mode,
    workloads: spec.workloads,
    onInconclusive: spec.onInconclusive,
    ...(namespaces === undefined ? {} : { namespaces }),
    needsLabels: namespaces !== undefined || [...required, ...crossChecks].some(namesNamespace),
    // Where a pattern does not compile it is open what it would select, or leave out: all of it, and nothing.
    images: images.problem === undefined ? images.patterns : compilePatterns(['**']).patterns,
    excludeImages: excluded.patterns,
    covers: images.problem === undefined && excluded.problem === undefined,
    evidenceRepositories: compileRepositories(spec.evidenceRepositories ?? []),
    indexTags: spec.indexTags ?? [],
    requirements: [first ?? unready('require', nothingRequired), ...others],
  };
}

/**
 * Those of a namespace all refuse its every image: one says enough, however many a tenant applies. Each of the cluster stays,
 * since exceptions name it.
 */
const oneOfEachNamespaceAndMode = (standIns: readonly CompiledPolicy[]): CompiledPolicy[] => [
  ...new Map(
    standIns.map((policy) => [
      policy.namespace === undefined ? policy : `${policy.mode} ${policy.namespace}`,
      policy,
    ]),
  ).values(),
];

/** In the place of a policy that is not compiled, whatever it would guard: every image of its namespace, or of all, then. */
const standIn = ({ name, namespace, mode, failure: problem }: UnreadablePolicy): CompiledPolicy => ({
  name,
  ...(namespace === undefined ? {} : { namespace }),
  mode,
  workloads: 'All',
  onInconclusive: 'Deny',
  needsLabels: false,
  images: compilePatterns(['**']).patterns,
  excludeImages: [],
  covers: false,
  evidenceRepositories: [],
  indexTags: [],
  requirements: [unready('readable', problem)],
});

type CompiledPatterns = { readonly patterns: readonly ImagePattern[]; readonly problem?: Failure };

/** By the list of a resource, which is the same as long as that is not applied anew: each change of any compiles all. */
const compiledPatterns = new WeakMap<readonly string[], CompiledPatterns>();

function compilePatterns(texts: readonly string[]): CompiledPatterns {
  let compiled = compiledPatterns.get(texts);
  if (compiled === undefined) {
    try {
      compiled = { patterns: texts.map(compileImagePattern) };
    } catch (error) {
      compiled = { patterns: [], problem: toFailure(error) };
    }
    compiledPatterns.set(texts, compiled);
  }
  return compiled;
}

/** The same repository once, under whatever name; the model has refused what is none. */
function compileRepositories(texts: readonly string[]): Repository[] {
  const repositories = texts.map(parseRepository);
  return [...new Map(repositories.map((each) => [repositoryName(each), each])).values()];
}

const nothingRequired = failure('PolicyNotReady', 'It requires nothing.');

function namesNamespace(requirement: CompiledRequirement): boolean {
  const ofCrossCheck = requirement.kind === 'crossCheck' ? requirement.uses : [];
  const ofAssertions = evidenceRequirements(requirement).flatMap((each) =>
    each.kind === 'signature' ? [] : (each.assertions?.uses ?? []),
  );
  return [...ofCrossCheck, ...ofAssertions].includes('namespaceObject');
}
