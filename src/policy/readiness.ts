import type { FailureCode } from '../failures/catalogue.ts';
import type { Failure } from '../failures/failure.ts';
import type { ArtifactPolicyException } from './model/artifact-policy-exception.ts';
import { namespaceOf } from './model/artifact-policy.ts';
import type { Resource } from './model/resource.ts';
import { notReadyOf } from './not-ready.ts';
import type { CompiledPolicy, PolicySnapshot } from './snapshot.ts';

/** Whether a resource does what it says, for its condition `Ready`. */
export interface Readiness {
  readonly isReady: boolean;
  readonly reason: FailureCode | 'Ready' | 'Expired' | 'NothingExcepted';
  /** A sentence; empty when there is nothing to say. */
  readonly message: string;
}

/** @returns undefined while the snapshot does not know the resource yet. */
export function readinessOf(
  resource: Resource | Failure,
  { issuers, policies, exceptions }: PolicySnapshot,
  nowMs: number,
): Readiness | undefined {
  if ('code' in resource) return unready(resource);
  const { name } = resource.metadata;
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
        : readinessOfException(resource, compiled.endsAtMs, policies, nowMs);
    }
    case 'ClusterArtifactPolicy':
    case 'ArtifactPolicy': {
      const namespace = resource.kind === 'ArtifactPolicy' ? namespaceOf(resource) : undefined;
      const policy = policies.find((each) => each.name === name && each.namespace === namespace);
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
  policies: readonly CompiledPolicy[],
  nowMs: number,
): Readiness {
  const end = new Date(endsAtMs).toISOString().replace('.000Z', 'Z');
  if (endsAtMs <= nowMs) return { isReady: false, reason: 'Expired', message: `It ended at ${end}.` };
  const unknown = unknownNames(spec.policies, policies);
  if (unknown.length === 0) return { ...ready, message: `It counts until ${end}.` };
  return { isReady: false, reason: 'NothingExcepted', message: `${unknown.join('; ')}.` };
}

/** What of the named policies and requirements is not there, a sentence each without its full stop. */
export function unknownNames(
  named: ArtifactPolicyException['spec']['policies'],
  policies: readonly CompiledPolicy[],
): readonly string[] {
  return named.flatMap(({ name, requirements = [] }) => {
    const policy = policies.find((each) => each.name === name && each.namespace === undefined);
    if (policy === undefined) return [`There is no ClusterArtifactPolicy ${name}`];
    const known = policy.requirements.map((requirement) => requirement.name);
    return requirements
      .filter((requirement) => !known.includes(requirement))
      .map((requirement) => `ClusterArtifactPolicy ${name} has no requirement ${requirement}`);
  });
}
