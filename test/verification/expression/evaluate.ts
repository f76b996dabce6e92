import type { ExpressionScope } from '../../../src/policy/assertions.ts';
import { toCelValue } from '../../../src/verification/expression/cel-values.ts';
import { ExpressionEvaluator } from '../../../src/verification/expression/evaluator.ts';
import { Meter } from '../../../src/verification/expression/meter.ts';

const evaluator = new ExpressionEvaluator();

/** What an expression over these roots gives: `holds`, or the code and message of its failure. */
export function evaluate(
  expression: string,
  roots: Readonly<Record<string, unknown>> = {},
  { scope = 'assert', steps }: { readonly scope?: ExpressionScope; readonly steps?: number } = {},
): string {
  const bindings = Object.fromEntries(Object.entries(roots).map(([root, data]) => [root, toCelValue(data)]));
  const result = evaluator.evaluate({ expression, message: 'Asked.' }, scope, bindings, new Meter(steps));
  return result.holds ? 'holds' : `${result.failure.code}: ${result.failure.message}`;
}
