import type { ImageReference } from '../image/reference.ts';
import { candidatePolicies } from './policy-index.ts';
import { selectsLabels } from './selector.ts';
import type { Labels } from './selector.ts';
import type { CompiledPolicy, PolicySnapshot } from './snapshot.ts';

/** What of a workload decides which policies apply. */
export interface MatchScope {
  readonly namespace: string;
  /** A pod template (Deployment, CronJob, ...) rather than a Pod. */
  readonly isTemplate: boolean;
  /** Leaves out policies that select no image from this registry (normalised); undefined leaves out none. */
  readonly registry?: string | undefined;
}

/** Policies that ask for labels of the namespace, and those that do not. */
export interface SplitPolicies {
  readonly asking: readonly CompiledPolicy[];
  readonly others: readonly CompiledPolicy[];
}

/** Whether any policy asks for the labels of the namespace at all; if none does they need not be known. */
export function needsNamespaceLabels(
  { index: { needsLabels } }: PolicySnapshot,
  { isTemplate }: MatchScope,
): boolean {
  return isTemplate ? needsLabels.ofTemplates : needsLabels.ofPods;
}

/** Policies whose namespace and workload kind fit; images are matched one by one with {@link selectsImage}. */
export function policiesInScope(
  snapshot: PolicySnapshot,
  scope: MatchScope,
  labels: Labels,
): readonly CompiledPolicy[] {
  return covering(snapshot, scope).filter(
    ({ namespaces }) => namespaces === undefined || selectsLabels(namespaces, labels),
  );
}

/** For when the labels of the namespace cannot be had: the policies that ask for them, and the rest in scope. */
export function splitByLabels(snapshot: PolicySnapshot, scope: MatchScope): SplitPolicies {
  const policies = covering(snapshot, scope);
  return {
    asking: policies.filter(({ needsLabels }) => needsLabels),
    others: policies.filter(({ needsLabels }) => !needsLabels),
  };
}

/** Policies that fit but for the labels of the namespace: those of the cluster, then those of the namespace. */
const covering = (
  { index }: PolicySnapshot,
  { namespace, registry, isTemplate }: MatchScope,
): readonly CompiledPolicy[] =>
  candidatePolicies(index, namespace, registry).filter(({ workloads }) => workloads === 'All' || !isTemplate);

/** What is known of a tag that stands beside a digest: that it means this digest, or that somebody says so. */
export type TagBesideDigest = 'proven' | 'claimed';

/**
 * Beside a digest a claimed tag decides nothing. What is selected by tag is then selected whatever tag is claimed, or the same
 * image named by its digest would escape; and what is left out by tag is so only when the tag decides what runs:
 * `app:debug@sha256:<anything>` would be a way round the policy.
 */
export function selectsImage(
  policy: CompiledPolicy,
  image: ImageReference,
  tag: TagBesideDigest = 'claimed',
): boolean {
  const decided = decidedImage(image, tag);
  const isDecided = decided === image;
  return (
    policy.images.some((pattern) => (isDecided ? pattern.matches(image) : pattern.mayMean(image))) &&
    !policy.excludeImages.some((pattern) => pattern.matches(decided))
  );
}

/** The image without a tag that decides nothing: one that is only claimed beside a digest. */
export function decidedImage(image: ImageReference, tag: TagBesideDigest): ImageReference {
  const { registry, repository, digest } = image;
  return digest === undefined || tag === 'proven' ? image : { registry, repository, digest };
}
