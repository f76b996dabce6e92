import { failure } from '../failures/failure.ts';
import { expressionRoots, isOfContent } from '../policy/assertions.ts';
import type { AssertionSet, ExpressionContext } from '../policy/assertions.ts';
import type { AssertionResult, VerifiedEvidence } from '../policy/evidence.ts';
import type { ClaimOutcome } from './artifact-form.ts';
import type { Claim } from './claim.ts';
import { attestedValue, contextValue, lazyBindings } from './expression/bindings.ts';
import type { Bindings } from './expression/cel-values.ts';
import type { ExpressionEvaluator } from './expression/evaluator.ts';
import { Meter } from './expression/meter.ts';
import type { ProvenEvidence, VerificationRequest } from './verification.ts';

type Answers = Pick<ProvenEvidence, 'assertions' | 'statement'>;

/**
 * What one request asks of the content of attestations: once for each claim, whatever number of issuers and signatures
 * stands for it.
 */
export class ContentQuestions {
  readonly #request: Pick<VerificationRequest, 'assertions' | 'context' | 'keepStatements'>;
  readonly #evaluator: ExpressionEvaluator;
  readonly #answers = new Map<Claim, Answers>();

  constructor(
    request: Pick<VerificationRequest, 'assertions' | 'context' | 'keepStatements'>,
    evaluator: ExpressionEvaluator,
  ) {
    this.#request = request;
    this.#evaluator = evaluator;
  }

  /** The evidence with the answers. */
  ask({ evidence, claim }: ClaimOutcome): readonly ProvenEvidence[] {
    const [first] = evidence;
    if (claim?.kind !== 'attestation' || first === undefined) return evidence;
    const answers = this.#answers.get(claim) ?? this.#answer(claim, first.format);
    this.#answers.set(claim, answers);
    return evidence.map((item) => ({ ...item, ...answers }));
  }

  #answer(claim: Claim, format: VerifiedEvidence['format']): Answers {
    const { assertions = [], context, keepStatements = false } = this.#request;
    const asked = assertions.filter(({ of }) => isOfContent(of, { ...claim, format }));
    const bindings = bindingsOf(claim, context);
    const results = asked.map((set) => [set.fingerprint, this.#judge(set, bindings)] as const);
    return {
      ...(results.length === 0 ? {} : { assertions: Object.fromEntries(results) }),
      ...(keepStatements && claim.document !== undefined ? { statement: claim.document } : {}),
    };
  }

  /** The first expression that does not hold decides. */
  #judge({ assertions }: AssertionSet, bindings: Bindings): AssertionResult {
    if (assertions.length === 0) {
      return {
        holds: false,
        failure: failure('ExpressionInvalid', 'The policy asks without an expression.'),
      };
    }
    const meter = new Meter();
    for (const assertion of assertions) {
      const result = this.#evaluator.evaluate(assertion, 'assert', bindings, meter);
      if (!result.holds) return result;
    }
    return { holds: true };
  }
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
      case 'namespaceObject':
        return contextValue(root, context);
      // Never bound here, so never asked for.
      case 'signatures':
      case 'attestations':
        return null;
      default:
        return attestedValue(root, attested);
    }
  });
}
