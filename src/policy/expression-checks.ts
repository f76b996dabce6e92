import { setImmediate } from 'node:timers/promises';
import type { CheckedExpression, ExpressionScope } from './assertions.ts';
import type { CheckExpression } from './compile-requirement.ts';
import type { Failure } from '../failures/failure.ts';
import type { Alternative } from './model/requirement.ts';
import { isPolicy } from './model/resource.ts';
import type { Resource } from './model/resource.ts';

/** Checks of expressions go on this long before reviews have their turn, milliseconds; one alone takes some 10 ms at most. */
const turnMs = 5;

/**
 * The checks of the expressions in force: each text is parsed once for as long as a policy has it, in turns, so that
 * whatever somebody applies holds up no review.
 */
export class ExpressionChecks {
  readonly #check: CheckExpression;
  #results = new Map<string, CheckedExpression | Failure>();

  constructor(check: CheckExpression) {
    this.#check = check;
  }

  /** Checks the expressions of the resources ahead of compiling them, and forgets all others. */
  async prepare(resources: readonly Resource[]): Promise<void> {
    const results = new Map<string, CheckedExpression | Failure>();
    let turnEndsMs = performance.now() + turnMs;
    for (const [expression, scope] of expressionsOf(resources)) {
      const key = keyOf(expression, scope);
      results.set(key, results.get(key) ?? this.of(expression, scope));
      if (performance.now() < turnEndsMs) continue;
      await setImmediate();
      turnEndsMs = performance.now() + turnMs;
    }
    this.#results = results;
  }

  readonly of: CheckExpression = (expression, scope) =>
    this.#results.get(keyOf(expression, scope)) ?? this.#check(expression, scope);
}

const keyOf = (expression: string, scope: ExpressionScope): string => `${scope} ${expression}`;

function* expressionsOf(resources: readonly Resource[]): Iterable<[string, ExpressionScope]> {
  for (const resource of resources) {
    if (!isPolicy(resource)) continue;
    const { require, crossChecks = [] } = resource.spec;
    for (const requirement of require) {
      const alternatives: readonly Alternative[] = [requirement, ...(requirement.anyOf ?? [])];
      for (const { sbom, attestation } of alternatives) {
        for (const { expression } of [...(sbom?.assert ?? []), ...(attestation?.assert ?? [])]) {
          yield [expression, 'assert'];
        }
      }
    }
    for (const { expression } of crossChecks) yield [expression, 'crossCheck'];
  }
}
