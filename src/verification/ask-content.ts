import { failure } from '../failures/failure.ts';
import { expressionRoots, isOfContent } from '../policy/assertions.ts';
import type { AssertionSet, ExpressionContext } from '../policy/assertions.ts';
import type { AssertionResult } from '../policy/evidence.ts';
import type { ClaimOutcome } from './artifact-form.ts';
import type { Claim } from './claim.ts';
import { attestedValue, contextValue, lazyBindings } from './expression/bindings.ts';
import type { Bindings } from './expression/cel-values.ts';
import type { ExpressionEvaluator } from './expression/evaluator.ts';
import { Meter } from './expression/meter.ts';
import type { ProvenEvidence, VerificationRequest } from './verification.ts';

/** The evidence with what the request asks of its content: once for each claim, whatever number of issuers accepts it. */
export function askContent(
  { evidence, claim }: ClaimOutcome,
  { assertions = [], context, keepStatements = false }: VerificationRequest,
  evaluator: ExpressionEvaluator,
): readonly ProvenEvidence[] {
  if (claim?.kind !== 'attestation' || evidence.length === 0) return evidence;
  const asked = assertions.filter(({ of }) => isOfContent(of, claim));
  const bindings = bindingsOf(claim, context);
  const results = asked.map((set) => [set.fingerprint, judge(set, bindings, evaluator)] as const);
  const answers = {
    ...(results.length === 0 ? {} : { assertions: Object.fromEntries(results) }),
    ...(keepStatements && claim.document !== undefined ? { statement: claim.document } : {}),
  };
  return evidence.map((item) => ({ ...item, ...answers }));
}

/** The first expression that does not hold decides. */
function judge(
  { assertions }: AssertionSet,
  bindings: Bindings,
  evaluator: ExpressionEvaluator,
): AssertionResult {
  if (assertions.length === 0) {
    return { holds: false, failure: failure('ExpressionInvalid', 'The policy asks without an expression.') };
  }
  for (const assertion of assertions) {
    const result = evaluator.evaluate(assertion, 'assert', bindings, new Meter());
    if (!result.holds) return result;
  }
  return { holds: true };
}

function bindingsOf(
  { predicateType = '', predicate }: Claim,
  context: ExpressionContext | undefined,
): Bindings {
  const attested = { predicateType, predicate };
  return lazyBindings(expressionRoots.assert, (root) => {
    switch (root) {
      case 'image':
      case 'workload':
      case 'namespace':
        return contextValue(root, context);
      case 'signatures':
      case 'attestations':
        return null;
      default:
        return attestedValue(root, attested);
    }
  });
}
