import type { Failure } from '../failures/failure.ts';
import { policyName } from './policy-name.ts';
import type { CompiledPolicy, PolicySnapshot } from './snapshot.ts';

/** A requirement that cannot be applied. */
export interface NotReady {
  readonly requirement: string;
  readonly failure: Failure;
}

/** Why a policy is not ready, one entry a requirement; empty when it is. */
export const notReadyOf = ({ requirements }: CompiledPolicy): readonly NotReady[] =>
  requirements
    .flatMap((requirement) => (requirement.kind === 'anyOf' ? requirement.alternatives : [requirement]))
    .flatMap(({ name, notReady: problem }) =>
      problem === undefined ? [] : [{ requirement: name, failure: problem }],
    );

/** The same for every policy of a snapshot, by {@link policyName}. */
export const notReady = (snapshot: PolicySnapshot): readonly (NotReady & { readonly policy: string })[] =>
  snapshot.policies.flatMap((policy) =>
    notReadyOf(policy).map((problem) => ({ policy: policyName(policy), ...problem })),
  );
