import type { CelError, CelValue } from '@bufbuild/cel';
import { failure, toFailure } from '../../failures/failure.ts';
import type { Failure } from '../../failures/failure.ts';
import { printable } from '../../failures/printable.ts';
import { expressionRoots } from '../../policy/assertions.ts';
import type { ExpressionRoot } from '../../policy/assertions.ts';
import type { AssertionResult, VerifiedEvidence } from '../../policy/evidence.ts';
import type { ViewRoot } from '../attestation/predicate-views.ts';
import { readAttestations } from './attestation-facts.ts';
import type { ReadAttestation } from './attestation-facts.ts';
import { contextValue, isViewRoot, lazyBindings } from './bindings.ts';
import { toCelValue } from './cel-values.ts';
import type { ExpressionEvaluator } from './evaluator.ts';
import { Meter } from './meter.ts';
import { signatureFact } from './signature-fact.ts';
import type { CrossCheckRequest } from '../verification.ts';

/** Most choices of one SBOM, one provenance, ... that are tried. */
const maxChoices = 64;

const viewNames: Readonly<Record<ViewRoot, string>> = {
  sbom: 'SBOM',
  provenance: 'provenance',
  vulnerabilities: 'vulnerability report',
  vex: 'VEX document',
};

/** One attestation for each kind that the expressions name in the singular. */
type Choice = Readonly<Partial<Record<ViewRoot, CelValue>>>;

/**
 * Whether all checks hold for one choice of the attestations that they name in the singular. The answer does not depend
 * on the order in which evidence was found.
 */
export function crossCheck(request: CrossCheckRequest, evaluator: ExpressionEvaluator): AssertionResult {
  try {
    return judge(request, evaluator);
  } catch (thrown) {
    return refused(toFailure(thrown));
  }
}

function judge(
  { checks, context, signatures, attestations, nowMs }: CrossCheckRequest,
  evaluator: ExpressionEvaluator,
): AssertionResult {
  if (checks.length === 0) return refused(failure('ExpressionInvalid', 'A cross-check has no expression.'));
  const isCurrent = ({ validUntilMs = Infinity }: VerifiedEvidence): boolean => nowMs < validUntilMs;
  const uses = evaluator.usesOf(checks, 'crossCheck');
  const readsAttestations = [...uses].some((root) => root === 'attestations' || isViewRoot(root));
  const read = readsAttestations ? readAttestations(attestations.filter(isCurrent)) : [];
  const options = [...uses].filter(isViewRoot).map((root) => ({ root, values: viewsOf(root, read) }));
  const missing = options.find(({ values }) => values.length === 0);
  if (missing !== undefined) {
    const asked = printable(checks[0]?.message ?? '').replace(/\.$/, '');
    const what = `${asked}: there is no verified ${viewNames[missing.root]} of the image.${whyNone(missing.root, read)}`;
    return refused(failure('AssertionFailed', what));
  }
  const shared = lazyBindings(['signatures', 'attestations'], (root) =>
    toCelValue(
      root === 'signatures'
        ? sorted(signatures.filter(isCurrent).map(signatureFact))
        : read.map(({ fact }) => fact()),
    ),
  );
  const valueOf = (root: ExpressionRoot, choice: Choice): CelValue | CelError => {
    switch (root) {
      case 'image':
      case 'workload':
      case 'namespaceObject':
        return contextValue(root, context);
      case 'sbom':
      case 'provenance':
      case 'vulnerabilities':
      case 'vex':
        return choice[root] ?? null;
      default:
        return shared[root] ?? null;
    }
  };
  const meter = new Meter();
  let closest: { readonly holding: number; readonly failure: Failure } | undefined;
  let tried = 0;
  for (const choice of choices(options)) {
    if (tried++ === maxChoices) {
      const message = `The expressions hold for none of the first ${maxChoices} choices of attestations, and there are more.`;
      return refused(failure('ExpressionTooCostly', message));
    }
    const bindings = lazyBindings(expressionRoots.crossCheck, (root) => valueOf(root, choice));
    let holding = 0;
    let failed: Failure | undefined;
    for (const check of checks) {
      const result = evaluator.evaluate(check, 'crossCheck', bindings, meter);
      if (!result.holds) {
        failed = result.failure;
        break;
      }
      holding++;
    }
    if (failed === undefined) return { holds: true };
    if (meter.isSpent) return refused(failed);
    if (closest === undefined || holding > closest.holding) closest = { holding, failure: failed };
  }
  if (closest === undefined) return refused(failure('InternalError', 'No choice of attestations was tried.'));
  const { code, message } = closest.failure;
  return refused(
    failure(code, tried > 1 ? `${message} (closest of ${tried} choices of attestations)` : message),
  );
}

const refused = (why: Failure): AssertionResult => ({ holds: false, failure: why });

function viewsOf(root: ViewRoot, read: readonly ReadAttestation[]): CelValue[] {
  const distinct = new Map(read.map((attestation) => [attestation.digest, attestation]));
  return [...distinct.values()].flatMap(({ view }) => {
    const found = view(root);
    return 'view' in found ? [toCelValue(found.view)] : [];
  });
}

/** Of one that is of the type and cannot be read. */
function whyNone(root: ViewRoot, read: readonly ReadAttestation[]): string {
  for (const { view } of read) {
    const found = view(root);
    if ('failure' in found && found.failure.code !== 'PredicateTypeMismatch')
      return ` ${found.failure.message}`;
  }
  return '';
}

function* choices(
  options: readonly { readonly root: ViewRoot; readonly values: readonly CelValue[] }[],
): Generator<Choice> {
  const [first, ...others] = options;
  if (first === undefined) {
    yield {};
    return;
  }
  for (const value of first.values) {
    for (const rest of choices(others)) yield { ...rest, [first.root]: value };
  }
}

/** In an order of their own. */
const sorted = <Fact extends object>(facts: readonly Fact[]): readonly Fact[] =>
  facts
    .map((fact) => ({ fact, key: JSON.stringify(fact) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ fact }) => fact);
