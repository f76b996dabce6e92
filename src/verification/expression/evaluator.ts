import { celEnv, isCelError, plan } from '@bufbuild/cel';
import type { CelResult, CelValue } from '@bufbuild/cel';
import { LRUCache } from 'lru-cache';
import { failure, toFailure } from '../../failures/failure.ts';
import type { Failure } from '../../failures/failure.ts';
import { printable } from '../../failures/printable.ts';
import type { Assertion, ExpressionRoot, ExpressionScope } from '../../policy/assertions.ts';
import type { AssertionResult } from '../../policy/evidence.ts';
import { excerpt } from '../excerpt.ts';
import type { Bindings } from './cel-values.ts';
import { Meter } from './meter.ts';
import { meteredFunctions } from './metered-functions.ts';
import { parseExpression } from './parse-expression.ts';

/** Compiled expressions kept; a cluster has some hundred. */
const maxCompiled = 1000;

interface Compiled {
  readonly uses: readonly ExpressionRoot[];
  readonly run: (bindings: Bindings) => CelResult;
}

/** Compiles expressions once and evaluates them, each evaluation within the steps of its meter. */
export class ExpressionEvaluator {
  readonly #compiled = new LRUCache<string, Compiled>({ max: maxCompiled });
  #meter = new Meter(0);
  readonly #env = celEnv({ funcs: meteredFunctions(() => this.#meter) });

  /** What the expressions name together. @throws RefwardenError `ExpressionInvalid`. */
  usesOf(assertions: readonly Assertion[], scope: ExpressionScope): ReadonlySet<ExpressionRoot> {
    return new Set(assertions.flatMap(({ expression }) => this.#compile(expression, scope).uses));
  }

  /**
   * Whether the expression is true: anything else, an error or a value of another type, does not hold and says so.
   * @param bindings what {@link usesOf} names, at least.
   */
  evaluate(
    { expression, message }: Assertion,
    scope: ExpressionScope,
    bindings: Bindings,
    meter: Meter,
  ): AssertionResult {
    try {
      this.#meter = meter;
      const result = this.#compile(expression, scope).run(bindings);
      if (meter.isSpent) return { holds: false, failure: tooCostly(expression) };
      if (result === true) return { holds: true };
      const shown = `The expression ${excerpt(expression)}`;
      const why = isCelError(result)
        ? `${shown} cannot be evaluated: ${excerpt(result.message.replace(/\.$/, ''))}.`
        : `${shown} ${result === false ? 'is false' : 'gives neither true nor false'}.`;
      const said = printable(message).replace(/(?<![.!?])$/, '.');
      return { holds: false, failure: failure('AssertionFailed', `${said} ${why}`) };
    } catch (thrown) {
      return { holds: false, failure: toFailure(thrown) };
    }
  }

  #compile(expression: string, scope: ExpressionScope): Compiled {
    const key = `${scope} ${expression}`;
    const known = this.#compiled.get(key);
    if (known !== undefined) return known;
    const { expr, uses } = parseExpression(expression, scope);
    const run = plan(this.#env, expr);
    // A name that is bound to an error gives it; the types of the library do not say so.
    const compiled: Compiled = { uses, run: (bindings) => run(bindings as Record<string, CelValue>) };
    this.#compiled.set(key, compiled);
    return compiled;
  }
}

const tooCostly = (expression: string): Failure =>
  failure('ExpressionTooCostly', `The expression ${excerpt(expression)} takes more steps than it may.`);
