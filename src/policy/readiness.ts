import type { FailureCode } from '../failures/catalogue.ts';
import type { Failure } from '../failures/failure.ts';
import { timeText } from '../failures/time-text.ts';
import { allRequirements } from './model/artifact-policy-exception.ts';
import type { ArtifactPolicyException } from './model/artifact-policy-exception.ts';
import { namespaceOf } from './model/artifact-policy.ts';
import type { Resource } from './model/resource.ts';
import { notReadyOf } from './not-ready.ts';
import { policyName } from './policy-name.ts';
import type { CompiledPolicy, PolicySnapshot } from './snapshot.ts';

/** Whether a resource does what it says, for its condition `Ready`. */
export interface Readiness {
  readonly isReady: boolean;
  readonly reason: FailureCode | 'Ready' | 'Expired' | 'NothingExcepted' | 'PartlyUnknown';
  /** A sentence; empty when there is nothing to say. */
  readonly message: string;
}

/** @returns undefined while the snapshot does not know the resource yet. */
export function readinessOf(
  resource: Resource | Failure,
  snapshot: PolicySnapshot,
  nowMs: number,
): Readiness | undefined {
  if ('code' in resource) return unready(resource);
  const { name } = resource.metadata;
  const { issuers, exceptions } = snapshot;
  switch (resource.kind) {
    case 'TrustedIssuer': {
      const issuer = issuers.get(name);
      return issuer === undefined ? undefined : 'code' in issuer ? unready(issuer) : ready;
    }
    case 'ArtifactPolicyException': {
      const compiled = resource.spec.namespaces
        .flatMap((namespace) => exceptions.get(namespace) ?? [])
        .find((exception) => exception.name === name);
      return compiled === undefined
        ? undefined
        : readinessOfException(resource, compiled.endsAtMs, snapshot, nowMs);
    }
    case 'ClusterArtifactPolicy':
    case 'ArtifactPolicy': {
      const namespace = resource.kind === 'ArtifactPolicy' ? namespaceOf(resource) : undefined;
      const policy = byName(snapshot).get(policyName({ name, namespace }));
      if (policy === undefined) return undefined;
      const [problem] = notReadyOf(policy);
      if (problem === undefined) return ready;
      const { code, message } = problem.failure;
      return unready({ code, message: `${problem.requirement}: ${message}` });
    }
  }
}

const ready: Readiness = { isReady: true, reason: 'Ready', message: '' };
const unready = ({ code, message }: Failure): Readiness => ({ isReady: false, reason: code, message });

function readinessOfException(
  { spec }: ArtifactPolicyException,
  endsAtMs: number,
  snapshot: PolicySnapshot,
  nowMs: number,
): Readiness {
  const end = timeText(endsAtMs);
  if (endsAtMs <= nowMs) return { isReady: false, reason: 'Expired', message: `It ended at ${end}.` };
  const unknown = unknownNames(spec.policies, snapshot);
  if (unknown.length === 0) return { ...ready, message: `It counts until ${end}.` };
  const problems = `${unknown.join('; ')}.`;
  return exceptsSomething(spec.policies, snapshot)
    ? { isReady: false, reason: 'PartlyUnknown', message: `${problems} The rest counts until ${end}.` }
    : { isReady: false, reason: 'NothingExcepted', message: problems };
}

type NamedPolicies = ArtifactPolicyException['spec']['policies'];

/** What of the named policies and requirements is not there, a sentence each without its full stop. */
export function unknownNames(named: NamedPolicies, snapshot: PolicySnapshot): readonly string[] {
  return named.flatMap(({ name, requirements }) => {
    const policy = byName(snapshot).get(name);
    if (policy === undefined) return [`There is no ClusterArtifactPolicy ${name}`];
    return requirements
      .filter((requirement) => !isThere(policy, requirement))
      .map((requirement) => `ClusterArtifactPolicy ${name} has no requirement ${requirement}`);
  });
}

const exceptsSomething = (named: NamedPolicies, snapshot: PolicySnapshot): boolean =>
  named.some(({ name, requirements }) => {
    const policy = byName(snapshot).get(name);
    return policy !== undefined && requirements.some((requirement) => isThere(policy, requirement));
  });

const isThere = ({ requirements }: CompiledPolicy, requirement: string): boolean =>
  requirement === allRequirements || requirements.some(({ name }) => name === requirement);

const indexes = new WeakMap<PolicySnapshot, ReadonlyMap<string, CompiledPolicy>>();

/** By {@link policyName}; made once for a snapshot, for many resources are looked up in it. */
function byName(snapshot: PolicySnapshot): ReadonlyMap<string, CompiledPolicy> {
  let index = indexes.get(snapshot);
  if (index === undefined) {
    index = new Map(snapshot.policies.map((policy) => [policyName(policy), policy]));
    indexes.set(snapshot, index);
  }
  return index;
}
