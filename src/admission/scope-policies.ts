import { failureCatalogue } from '../failures/catalogue.ts';
import { failure, toFailure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import { needsNamespaceLabels, policiesInScope, splitByLabels } from '../policy/match.ts';
import type { SplitPolicies } from '../policy/match.ts';
import type { Labels } from '../policy/selector.ts';
import type { CompiledPolicy, NoMatch, PolicySnapshot } from '../policy/snapshot.ts';
import type { NamespaceSource } from './ports.ts';
import { untilAborted } from './until-aborted.ts';
import type { Workload } from './workload.ts';

/** The policies that apply to a workload before its images are looked at. */
export interface PolicyScope {
  readonly inScope: readonly CompiledPolicy[];
  /** Policies of which it is not known whether they apply, with why. */
  readonly undetermined: readonly CompiledPolicy[];
  /**
   * Policies that keep an image from counting as unmatched: cluster policies only, or a tenant's own policy would
   * lift the installation's noMatch; nor does one that does not say what it would select. Those for other workload kinds are
   * among them.
   */
  readonly covering: readonly CompiledPolicy[];
  readonly maybeCovering: readonly CompiledPolicy[];
  readonly why: Failure;
  readonly noMatch: NoMatch;
}

/** @param registry of the image; undefined for what is no image reference, which may be of any. */
export type ScopeForRegistry = (registry: string | undefined) => PolicyScope;

/** Empty where nobody asks for them; why not, where they cannot be had. */
export type NamespaceLabels = { readonly known: Labels } | Failure;

/** Never throws. */
export async function readNamespaceLabels(
  snapshot: PolicySnapshot,
  { namespace, isTemplate }: Workload,
  namespaces: NamespaceSource,
  signal: AbortSignal,
): Promise<NamespaceLabels> {
  // A policy for Pods alone keeps the image of a template from counting as unmatched.
  const scope = { namespace, isTemplate: isTemplate && snapshot.noMatch === 'Admit' };
  if (!needsNamespaceLabels(snapshot, scope)) return { known: {} };
  try {
    return { known: await untilAborted(namespaces.labels(namespace, signal), signal) };
  } catch (error) {
    return toFailure(error);
  }
}

/**
 * Unknown labels are never "no labels": a policy that asks for them is then undetermined, and each of its checks
 * inconclusive under its own mode. Policies without a selector are judged all the same.
 * @returns the policies for an image by its registry.
 */
export function scopePolicies(
  snapshot: PolicySnapshot,
  { namespace, isTemplate }: Workload,
  labels: NamespaceLabels,
): ScopeForRegistry {
  const { noMatch } = snapshot;
  const split = (ofTemplate: boolean, registry: string | undefined): SplitPolicies => {
    const scope = { namespace, isTemplate: ofTemplate, registry };
    return 'code' in labels
      ? splitByLabels(snapshot, scope)
      : { others: policiesInScope(snapshot, scope, labels.known), asking: [] };
  };
  return (registry) => {
    const applying = split(isTemplate, registry);
    const covering = noMatch === 'Admit' ? noPolicies : split(false, registry);
    return {
      inScope: applying.others,
      undetermined: applying.asking,
      covering: covering.others.filter(({ covers, namespace }) => covers && namespace === undefined),
      maybeCovering: covering.asking.filter(({ covers, namespace }) => covers && namespace === undefined),
      why: 'code' in labels ? labels : noReason,
      noMatch,
    };
  };
}

const noPolicies: SplitPolicies = { others: [], asking: [] };
const noReason = failure('InternalError', failureCatalogue.InternalError.summary);
