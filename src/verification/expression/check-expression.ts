import { failure, toFailure } from '../../failures/failure.ts';
import type { Failure } from '../../failures/failure.ts';
import type { CheckedExpression, ExpressionScope } from '../../policy/assertions.ts';
import { parseExpression } from './parse-expression.ts';

/** What an expression of a policy names; or `ExpressionInvalid`, with what is wrong and where. */
export function checkExpression(expression: string, scope: ExpressionScope): CheckedExpression | Failure {
  try {
    return { uses: parseExpression(expression, scope).uses };
  } catch (thrown) {
    const { code, message } = toFailure(thrown);
    return failure(code, message);
  }
}
