import { failure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import { namespaceOf } from './model/artifact-policy.ts';
import type { ArtifactPolicy, ClusterArtifactPolicy } from './model/artifact-policy.ts';
import { alternativesOf } from './model/requirement.ts';

type Policy = ArtifactPolicy | ClusterArtifactPolicy;

/** What is counted of policies: all of it costs time at each review, or whenever policies change. */
interface PolicySize {
  readonly policies: number;
  readonly patterns: number;
  readonly requirements: number;
  /** Characters. */
  readonly expressionText: number;
}

/** Of all ArtifactPolicies of a namespace together: no tenant's may hold up the policies and reviews of others. */
const boundsOfNamespace: PolicySize = {
  policies: 64,
  patterns: 512,
  requirements: 256,
  expressionText: 128 * 1024,
};

const nouns: Readonly<Record<keyof PolicySize, string>> = {
  policies: 'policies',
  patterns: 'image patterns',
  requirements: 'requirements and alternatives',
  expressionText: 'characters of expressions',
};

/**
 * Policies that are not compiled, with why: those of a namespace beyond its bounds, in the order of their names, and any
 * policy that is beyond them alone.
 */
export function beyondBounds(policies: readonly Policy[]): ReadonlyMap<Policy, Failure> {
  const beyond = new Map<Policy, Failure>();
  const sums = new Map<string, PolicySize>();
  for (const policy of policies.toSorted((one, other) => compareNames(one, other))) {
    const size = sizeOf(policy);
    const namespace = policy.kind === 'ArtifactPolicy' ? namespaceOf(policy) : undefined;
    const sum = namespace === undefined ? size : add(sums.get(namespace) ?? nothing, size);
    const whose =
      namespace === undefined
        ? 'It has'
        : `With it the ArtifactPolicies of namespace ${namespace}, in the order of their names, have`;
    const field = (Object.keys(nouns) as (keyof PolicySize)[]).find(
      (key) => sum[key] > boundsOfNamespace[key],
    );
    if (field === undefined) {
      if (namespace !== undefined) sums.set(namespace, sum);
      continue;
    }
    const message = `${whose} more than ${boundsOfNamespace[field]} ${nouns[field]}: unite policies or shorten them.`;
    beyond.set(policy, failure('PolicyInvalid', message));
  }
  return beyond;
}

/**
 * Why a policy may not join those that there are: it is beyond the bounds alone, or more of its namespace would be beyond them
 * than are now.
 */
export function newlyBeyond(known: readonly Policy[], policy: Policy): Failure | undefined {
  const alone = beyondBounds([policy]).get(policy);
  if (alone !== undefined || policy.kind === 'ClusterArtifactPolicy') return alone;
  const namespace = namespaceOf(policy);
  const neighbours = known.filter(
    (other) => other.kind === 'ArtifactPolicy' && namespaceOf(other) === namespace,
  );
  const others = neighbours.filter(({ metadata }) => metadata.name !== policy.metadata.name);
  const before = beyondBounds(neighbours);
  const after = beyondBounds([...others, policy]);
  if (after.size <= before.size) return undefined;
  const own = after.get(policy);
  if (own !== undefined) return own;
  const [ousted] = [...after].filter(([other]) => !before.has(other));
  return (
    ousted &&
    failure('PolicyInvalid', `It leaves no room for ${ousted[0].metadata.name}. ${ousted[1].message}`)
  );
}

const nothing: PolicySize = { policies: 0, patterns: 0, requirements: 0, expressionText: 0 };

const add = (one: PolicySize, other: PolicySize): PolicySize => ({
  policies: one.policies + other.policies,
  patterns: one.patterns + other.patterns,
  requirements: one.requirements + other.requirements,
  expressionText: one.expressionText + other.expressionText,
});

const compareNames = (one: Policy, other: Policy): number =>
  Number(one.metadata.name > other.metadata.name) - Number(one.metadata.name < other.metadata.name);

function sizeOf({ spec }: Policy): PolicySize {
  const alternatives = spec.require.flatMap(alternativesOf);
  const assertions = [
    ...alternatives.flatMap(({ sbom, attestation }) => [
      ...(sbom?.assert ?? []),
      ...(attestation?.assert ?? []),
    ]),
    ...(spec.crossChecks ?? []),
  ];
  return {
    policies: 1,
    patterns: spec.images.length + (spec.excludeImages?.length ?? 0),
    requirements: alternatives.length,
    expressionText: assertions.reduce((sum, { expression }) => sum + expression.length, 0),
  };
}
