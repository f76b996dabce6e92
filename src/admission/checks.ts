import { failureCatalogue } from '../failures/catalogue.ts';
import type { FailureCode } from '../failures/catalogue.ts';
import { failure, withCause } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import { timeText } from '../failures/time-text.ts';
import type { Exemption } from '../policy/exceptions.ts';
import { policyName } from '../policy/policy-name.ts';
import type { CompiledPolicy, NoMatch } from '../policy/snapshot.ts';
import type { Check } from './verdict.ts';

/**
 * What `onInconclusive: Admit` waives: a registry that fails. Everything else that leaves a check open can be brought
 * about by whoever pushes to the repository or writes the workload, or is a decision of ours.
 */
const waivable: ReadonlySet<FailureCode> = new Set<FailureCode>(['RegistryUnavailable', 'RegistryTimeout']);

/** Whether a policy with `onInconclusive: Admit` lets this pass. */
export const isWaivable = ({ code, isOfContent }: Failure): boolean =>
  waivable.has(code) && isOfContent !== true;

/** A check that did not pass, with the mode and onInconclusive of its policy applied. */
export function notPassed(
  policy: CompiledPolicy,
  requirement: string,
  outcome: 'failed' | 'inconclusive',
  why: Failure,
): Check {
  const waived = outcome === 'inconclusive' && policy.onInconclusive === 'Admit' && isWaivable(why);
  const check: Check = {
    ...identify(policy, requirement),
    outcome,
    blocks: policy.mode === 'Enforce' && !waived,
    code: why.code,
    message: why.message,
    evidence: [],
    misses: [],
  };
  return withCause(check, why.cause);
}

export function passed(policy: CompiledPolicy, requirement: string, message: string): Check {
  return {
    ...identify(policy, requirement),
    outcome: 'passed',
    blocks: false,
    message,
    evidence: [],
    misses: [],
  };
}

/** A requirement that an exception stands in for. */
export function excepted(policy: CompiledPolicy, exemption: Exemption): Check {
  const { requirement, exception } = exemption;
  const message = `excepted by ${exception.name} until ${timeText(exception.endsAtMs)}: ${exception.reason}`;
  return { ...passed(policy, requirement, message), exemption };
}

/** The same answer for every requirement of these policies. */
export function checkAll(
  policies: readonly CompiledPolicy[],
  outcome: 'failed' | 'inconclusive',
  why: Failure,
): Check[] {
  return policies.flatMap((policy) =>
    policy.requirements.map(({ name }) => notPassed(policy, name, outcome, why)),
  );
}

/**
 * The installation's own rule for images without a policy, shown as a check of no policy.
 * @param why it is not known whether a policy applies; then the rule may not be passed over either.
 */
export function unmatched(noMatch: NoMatch, why?: Failure): Check[] {
  if (noMatch === 'Admit') return [];
  const { code, message } = why ?? failure('NoPolicyMatches', failureCatalogue.NoPolicyMatches.summary);
  return [
    {
      policy: '(none)',
      mode: noMatch === 'Deny' ? 'Enforce' : 'Warn',
      requirement: 'noMatch',
      outcome: why === undefined ? 'failed' : 'inconclusive',
      blocks: noMatch === 'Deny',
      code,
      message,
      evidence: [],
      misses: [],
    },
  ];
}

function identify(
  policy: CompiledPolicy,
  requirement: string,
): Pick<Check, 'policy' | 'mode' | 'requirement'> {
  return { policy: policyName(policy), mode: policy.mode, requirement };
}
