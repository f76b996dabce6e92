import { failureCatalogue } from '../failures/catalogue.ts';
import { failure, toFailure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import { needsNamespaceLabels, policiesInScope, splitByLabels } from '../policy/match.ts';
import type { SplitPolicies } from '../policy/match.ts';
import type { Labels } from '../policy/selector.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import type { VerifyPorts } from './verify-candidate.ts';
import { judgeImage } from './judge-image.ts';
import { mapBounded } from './map-bounded.ts';
import type { ScopeForRegistry } from './judge-image.ts';
import type {
  CredentialSource,
  NamespaceSource,
  PolicySource,
  RegistryAccess,
  VerdictRecorder,
} from './ports.ts';
import { RequestTrace } from './request-trace.ts';
import { untilAborted } from './until-aborted.ts';
import type { Check, ImageVerdict, Verdict, VerdictOutcome } from './verdict.ts';
import type { Workload } from './workload.ts';

export interface DecisionPorts extends VerifyPorts {
  readonly policies: PolicySource;
  readonly namespaces: NamespaceSource;
  readonly credentials: CredentialSource;
  readonly recorder: VerdictRecorder;
}

export interface DecisionOptions {
  /** Aborted when the caller's time is up; what was begun goes on for the next try. */
  readonly signal: AbortSignal;
}

/**
 * The one way to a verdict: webhook, command line and audit call this. Never throws, and never admits what was
 * not judged: without policies loaded, with labels unknown, on a fault or a timeout the answer is not "allowed".
 */
export async function decide(
  workload: Workload,
  ports: DecisionPorts,
  options: DecisionOptions,
): Promise<Verdict> {
  const startedMs = ports.clock.nowMs();
  const trace = new RequestTrace();
  const result = await judgeWorkload(workload, ports, { ...options, trace }).catch((error: unknown) => ({
    images: [],
    failure: toFailure(error),
  }));
  const { kind, namespace, name, dryRun } = workload;
  const outcome = result.failure === undefined ? combine(result.images) : 'inconclusive';
  const verdict: Verdict = {
    outcome,
    allowed: outcome === 'admitted',
    workload: { kind, namespace, name },
    images: result.images,
    ...(result.failure === undefined ? {} : { failure: result.failure }),
    dryRun,
    requests: { total: trace.total, sequential: trace.sequential },
    durationMs: ports.clock.nowMs() - startedMs,
  };
  ports.recorder.record(verdict);
  return verdict;
}

/** Most images of one workload that are judged at once. */
const maxImagesAtOnce = 8;

interface Judgement {
  readonly images: readonly ImageVerdict[];
  readonly failure?: Failure;
}

async function judgeWorkload(
  workload: Workload,
  ports: DecisionPorts,
  options: DecisionOptions & { trace: RequestTrace },
): Promise<Judgement> {
  if (workload.images.length === 0) return { images: [] };
  const snapshot = ports.policies.snapshot();
  if (snapshot === undefined) {
    return { images: [], failure: failure('PoliciesNotLoaded', 'No policies have been loaded yet.') };
  }
  const labels = await namespaceLabels(snapshot, workload, ports, options.signal);
  const scopeFor = scopePolicies(snapshot, workload, labels);
  const { kind, namespace, name } = workload;
  const about = {
    workload: { kind, namespace, name },
    namespaceObject: { metadata: { name: namespace, labels: 'code' in labels ? {} : labels.known } },
  };
  const openAccess = accessOf(workload, ports.credentials, options);
  const images = await mapBounded(workload.images, maxImagesAtOnce, (image) =>
    judgeImage(image, scopeFor, about, ports, openAccess),
  );
  return { images };
}

/** Credentials are looked for once, and only when an image has to be asked for. */
function accessOf(
  workload: Workload,
  source: CredentialSource,
  { signal, trace }: DecisionOptions & { trace: RequestTrace },
): () => Promise<RegistryAccess> {
  let access: Promise<RegistryAccess> | undefined;
  const open = async (): Promise<RegistryAccess> => {
    const credentials = await untilAborted(source.credentialsFor(workload, signal), signal);
    return { tenant: workload.namespace, credentials, signal, trace };
  };
  return () => (access ??= open());
}

/** Empty where nobody asks for them; why not, where they cannot be had. */
type NamespaceLabels = { readonly known: Labels } | Failure;

async function namespaceLabels(
  snapshot: PolicySnapshot,
  { namespace, isTemplate }: Workload,
  { namespaces }: DecisionPorts,
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
function scopePolicies(
  snapshot: PolicySnapshot,
  { namespace, isTemplate }: Workload,
  labels: NamespaceLabels,
): ScopeForRegistry {
  const { noMatch } = snapshot;
  const split = (isTemplate: boolean, registry: string | undefined): SplitPolicies => {
    const scope = { namespace, isTemplate, registry };
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
      covering: covering.others.filter((policy) => policy.namespace === undefined),
      maybeCovering: covering.asking,
      why: 'code' in labels ? labels : noReason,
      noMatch,
    };
  };
}

const noPolicies: SplitPolicies = { others: [], asking: [] };
const noReason = failure('InternalError', failureCatalogue.InternalError.summary);

/** Denied for certain as soon as one blocking check failed; inconclusive when only faults stand in the way. */
function combine(images: readonly ImageVerdict[]): VerdictOutcome {
  const blocking = images.flatMap(({ checks }) => checks.filter(({ blocks }) => blocks));
  if (blocking.length === 0) return 'admitted';
  return blocking.some((check: Check) => check.outcome === 'failed') ? 'denied' : 'inconclusive';
}
