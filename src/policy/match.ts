import type { ImageReference } from '../image/reference.ts';
import { selectsLabels } from './selector.ts';
import type { Labels } from './selector.ts';
import type { CompiledPolicy, PolicySnapshot } from './snapshot.ts';

/** What of a workload decides which policies apply. */
export interface MatchScope {
  readonly namespace: string;
  /** A pod template (Deployment, CronJob, ...) rather than a Pod. */
  readonly isTemplate: boolean;
}

/** Whether any policy asks for the labels of the namespace at all; if none does they need not be known. */
export function needsNamespaceLabels(snapshot: PolicySnapshot, scope: MatchScope): boolean {
  return snapshot.policies.some((policy) => policy.namespaces !== undefined && coversKind(policy, scope));
}

/** Policies whose namespace and workload kind fit; images are matched one by one with {@link selectsImage}. */
export function policiesInScope(
  snapshot: PolicySnapshot,
  scope: MatchScope,
  labels: Labels,
): readonly CompiledPolicy[] {
  return snapshot.policies.filter(
    (policy) =>
      coversKind(policy, scope) &&
      (policy.namespace === undefined || policy.namespace === scope.namespace) &&
      (policy.namespaces === undefined || selectsLabels(policy.namespaces, labels)),
  );
}

/** For when the labels of the namespace cannot be had: the policies that ask for them, and the rest in scope. */
export function splitByNamespaceSelector(
  snapshot: PolicySnapshot,
  scope: MatchScope,
): { readonly selecting: readonly CompiledPolicy[]; readonly others: readonly CompiledPolicy[] } {
  const covering = snapshot.policies.filter((policy) => coversKind(policy, scope));
  return {
    selecting: covering.filter(({ namespaces }) => namespaces !== undefined),
    others: policiesInScope(
      { ...snapshot, policies: covering.filter(({ namespaces }) => namespaces === undefined) },
      scope,
      {},
    ),
  };
}

/**
 * What is left out by tag is so only when the tag decides what runs: beside a digest it is a mere claim, and
 * `app:debug@sha256:<anything>` would be a way round the policy.
 */
export function selectsImage(policy: CompiledPolicy, image: ImageReference): boolean {
  const { registry, repository, digest } = image;
  const decided = digest === undefined ? image : { registry, repository, digest };
  return (
    policy.images.some((pattern) => pattern.matches(image)) &&
    !policy.excludeImages.some((pattern) => pattern.matches(decided))
  );
}

const coversKind = (policy: CompiledPolicy, { isTemplate }: MatchScope): boolean =>
  policy.workloads === 'All' || !isTemplate;
