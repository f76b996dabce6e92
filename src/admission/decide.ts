import { failure, toFailure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import { unready } from '../policy/compile-requirement.ts';
import { exceptionsInForce } from '../policy/exceptions.ts';
import type { CompiledPolicy, PolicySnapshot } from '../policy/snapshot.ts';
import { Turn } from '../scheduling/fair-queue.ts';
import { judgeImage } from './judge-image.ts';
import { mapBounded } from './map-bounded.ts';
import { openAccess } from './open-access.ts';
import type { CredentialSource, NamespaceSource, PolicySource, VerdictRecorder } from './ports.ts';
import { RequestTrace } from './request-trace.ts';
import { readNamespaceLabels, scopePolicies } from './scope-policies.ts';
import type { ScopeForRegistry } from './scope-policies.ts';
import type { Check, ImageVerdict, Verdict, VerdictOutcome } from './verdict.ts';
import type { VerifyPorts } from './verify-candidate.ts';
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
  /** Pods are pinned before they are judged: one that runs whatever its tag will mean is not admitted. */
  readonly mustBePinned?: boolean;
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

/** Most checks of one workload by the policies of its own namespace: each is told of, logged and counted. */
const maxOwnChecks = 8192;

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
  const { signal, trace, mustBePinned = false } = options;
  const labels = await readNamespaceLabels(snapshot, workload, ports.namespaces, signal);
  const scopeFor = replaceBeyondChecks(workload, snapshot, scopePolicies(snapshot, workload, labels));
  const { kind, namespace, name } = workload;
  const about = {
    workload: { kind, namespace, name },
    namespaceObject: { metadata: { name: namespace, labels: 'code' in labels ? {} : labels.known } },
  };
  const access = openAccess(workload, ports.credentials, signal, trace);
  const exceptions = exceptionsInForce(snapshot.exceptions, namespace, ports.clock.nowMs());
  const means = {
    ports,
    access,
    exceptions,
    mustBePinned: mustBePinned && !workload.isTemplate,
    turn: new Turn(namespace, signal),
  };
  const images = await mapBounded(workload.images, maxImagesAtOnce, (image) =>
    judgeImage(image, scopeFor, about, means),
  );
  return { images };
}

/**
 * A tenant brings images and policies alike: where they are too many together, each policy of the namespace says so once, under its
 * own mode, in place of its requirements.
 */
function replaceBeyondChecks(
  { images, namespace }: Workload,
  { index }: PolicySnapshot,
  scopeFor: ScopeForRegistry,
): ScopeForRegistry {
  const own = index.byNamespace.get(namespace)?.all ?? [];
  const requirements = own.reduce((sum, policy) => sum + policy.requirements.length, 0);
  if (images.length * requirements <= maxOwnChecks) return scopeFor;
  const why = failure(
    'WorkloadInvalid',
    `${images.length} images and ${requirements} requirements of the ArtifactPolicies of namespace ${namespace} are more than ${maxOwnChecks} checks: bring fewer images at a time, or unite requirements.`,
  );
  const unjudged = new Map(
    own.map((policy) => [policy, { ...policy, requirements: [unready('checks', why)] as const }]),
  );
  const replaced = (policies: readonly CompiledPolicy[]): CompiledPolicy[] =>
    policies.map((policy) => unjudged.get(policy) ?? policy);
  return (registry) => {
    const scope = scopeFor(registry);
    return { ...scope, inScope: replaced(scope.inScope), undetermined: replaced(scope.undetermined) };
  };
}

/** Denied for certain as soon as one blocking check failed; inconclusive when only faults stand in the way. */
function combine(images: readonly ImageVerdict[]): VerdictOutcome {
  const blocking = images.flatMap(({ checks }) => checks.filter(({ blocks }) => blocks));
  if (blocking.length === 0) return 'admitted';
  return blocking.some((check: Check) => check.outcome === 'failed') ? 'denied' : 'inconclusive';
}
