import { failure, toFailure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import { needsNamespaceLabels, policiesInScope, splitByNamespaceSelector } from '../policy/match.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import type { GatherPorts } from './gather-evidence.ts';
import { judgeImage } from './judge-image.ts';
import type { PolicyScope } from './judge-image.ts';
import type { Credentials, NamespaceSource, PolicySource, VerdictRecorder } from './ports.ts';
import { RequestTrace } from './request-trace.ts';
import { untilAborted } from './until-aborted.ts';
import type { Check, ImageVerdict, Verdict, VerdictOutcome } from './verdict.ts';
import type { Workload } from './workload.ts';

export interface DecisionPorts extends GatherPorts {
  readonly policies: PolicySource;
  readonly namespaces: NamespaceSource;
  readonly recorder: VerdictRecorder;
}

export interface DecisionOptions {
  readonly credentials: Credentials;
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
  const scope = await scopePolicies(snapshot, workload, ports, options.signal);
  const { credentials, signal, trace } = options;
  const images = await Promise.all(
    workload.images.map((image) =>
      judgeImage(image, scope, snapshot.noMatch, ports, { credentials, signal, trace }),
    ),
  );
  return { images };
}

/**
 * Unknown labels are never "no labels": a policy that asks for them is then undetermined, and each of its checks
 * inconclusive under its own mode. Policies without a selector are judged all the same.
 */
async function scopePolicies(
  snapshot: PolicySnapshot,
  workload: Workload,
  { namespaces }: DecisionPorts,
  signal: AbortSignal,
): Promise<PolicyScope> {
  const scope = { namespace: workload.namespace, isTemplate: workload.isTemplate };
  if (!needsNamespaceLabels(snapshot, scope)) {
    return { inScope: policiesInScope(snapshot, scope, {}), undetermined: [] };
  }
  try {
    const labels = await untilAborted(namespaces.labels(workload.namespace, signal), signal);
    return { inScope: policiesInScope(snapshot, scope, labels), undetermined: [] };
  } catch (error) {
    const { selecting, others } = splitByNamespaceSelector(snapshot, scope);
    return { inScope: others, undetermined: selecting, why: toFailure(error) };
  }
}

/** Denied for certain as soon as one blocking check failed; inconclusive when only faults stand in the way. */
function combine(images: readonly ImageVerdict[]): VerdictOutcome {
  const blocking = images.flatMap(({ checks }) => checks.filter(({ blocks }) => blocks));
  if (blocking.length === 0) return 'admitted';
  return blocking.some((check: Check) => check.outcome === 'failed') ? 'denied' : 'inconclusive';
}
