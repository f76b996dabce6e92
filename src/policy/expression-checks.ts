import type { Turn } from '../scheduling/fair-queue.ts';
import type { CheckedExpression, ExpressionScope } from './assertions.ts';
import type { CheckExpression } from './compile-requirement.ts';
import type { Failure } from '../failures/failure.ts';
import { alternativesOf } from './model/requirement.ts';
import { isPolicy } from './model/resource.ts';
import type { Resource } from './model/resource.ts';
import { beyondBounds } from './policy-bounds.ts';

/**
 * The checks of the expressions in force: each text is parsed once for as long as a policy has it, in turns, so that
 * whatever somebody applies holds up no review; one alone takes some 30 ms at most.
 */
export class ExpressionChecks {
  readonly #check: CheckExpression;
  #results = new Map<string, CheckedExpression | Failure>();

  constructor(check: CheckExpression) {
    this.#check = check;
  }

  /**
   * Checks the expressions of the resources ahead of compiling them, and forgets all others.
   * @throws RefwardenError `DeadlineExceeded` when its signal has aborted.
   */
  async prepare(resources: readonly Resource[], turn: Turn): Promise<void> {
    const results = new Map<string, CheckedExpression | Failure>();
    for (const [expression, scope] of expressionsOf(resources)) {
      const key = keyOf(expression, scope);
      results.set(key, results.get(key) ?? (await turn.do(() => this.of(expression, scope))));
    }
    this.#results = results;
  }

  readonly of: CheckExpression = (expression, scope) =>
    this.#results.get(keyOf(expression, scope)) ?? this.#check(expression, scope);
}

const keyOf = (expression: string, scope: ExpressionScope): string => `${scope} ${expression}`;

function* expressionsOf(resources: readonly Resource[]): Iterable<[string, ExpressionScope]> {
  const policies = resources.filter(isPolicy);
  const beyond = beyondBounds(policies);
  for (const resource of policies) {
    // It is not compiled.
    if (beyond.has(resource)) continue;
    const { require, crossChecks = [] } = resource.spec;
    for (const requirement of require) {
      for (const { sbom, attestation } of alternativesOf(requirement)) {
        for (const { expression } of [...(sbom?.assert ?? []), ...(attestation?.assert ?? [])]) {
          yield [expression, 'assert'];
        }
      }
    }
    for (const { expression } of crossChecks) yield [expression, 'crossCheck'];
  }
}
