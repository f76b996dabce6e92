import { createHash } from 'node:crypto';
import type { SbomFormat, VerifiedEvidence } from './evidence.ts';

/** Where an expression stands decides what it may name. */
export type ExpressionScope = 'assert' | 'crossCheck';

/** What expressions may name at their root, by where they stand. */
export const expressionRoots = {
  assert: [
    'image',
    'workload',
    'namespaceObject',
    'predicateType',
    'predicate',
    'sbom',
    'provenance',
    'vulnerabilities',
    'vex',
  ],
  crossCheck: [
    'image',
    'workload',
    'namespaceObject',
    'signatures',
    'attestations',
    'sbom',
    'provenance',
    'vulnerabilities',
    'vex',
  ],
} as const satisfies Record<ExpressionScope, readonly string[]>;
export type ExpressionRoot = (typeof expressionRoots)[ExpressionScope][number];

/** One expression of a policy (CEL), and what is said when it does not hold. */
export interface Assertion {
  readonly expression: string;
  readonly message: string;
}

/** What an expression of CEL names, as far as it compiles; `uses` is without duplicates. */
export interface CheckedExpression {
  readonly uses: readonly ExpressionRoot[];
}

/** Which attestations something is asked of. */
export type AskedContent =
  | { readonly kind: 'sbom'; readonly formats: readonly SbomFormat[] }
  | { readonly kind: 'attestation'; readonly predicateType: string };

/** What a requirement asks of the content of its attestations: every expression must be true. */
export interface AssertionSet {
  /** SHA-256 (hex) over what is asked of which content: evidence names its results by it. */
  readonly fingerprint: string;
  readonly of: AskedContent;
  readonly assertions: readonly Assertion[];
  /** What the expressions name. */
  readonly uses: readonly ExpressionRoot[];
}

export function assertionSet(
  of: AskedContent,
  assertions: readonly (Assertion & CheckedExpression)[],
): AssertionSet {
  const texts = assertions.map(({ expression, message }) => ({ expression, message }));
  const uses = [...new Set(assertions.flatMap((assertion) => assertion.uses))];
  const fingerprint = createHash('sha256')
    .update(JSON.stringify([of, texts]))
    .digest('hex');
  return { fingerprint, of, assertions: texts, uses };
}

/** Whether an attestation is of the asked kind. */
export function isOfContent(
  of: AskedContent,
  { kind, format, predicateType, sbom }: Pick<VerifiedEvidence, 'kind' | 'format' | 'predicateType' | 'sbom'>,
): boolean {
  if (kind !== 'attestation') return false;
  return of.kind === 'sbom'
    ? sbom !== undefined && of.formats.includes(sbom.format)
    : // Nobody signed a predicate type for a bare file: it has the one of its kind for views only.
      format !== 'BareSbom' && predicateType === of.predicateType;
}

/** What the decision knows beside the evidence: plain data that expressions read. */
export interface ExpressionContext {
  readonly image: {
    /** Fully qualified, as it is judged. */
    readonly reference: string;
    readonly registry: string;
    readonly repository: string;
    /** Empty when the reference has none. */
    readonly tag: string;
    readonly digest: string;
  };
  readonly workload: { readonly kind: string; readonly namespace: string; readonly name: string };
  /** `namespace` is a reserved word of CEL; name and shape are those of Kubernetes' own admission policies. */
  readonly namespaceObject: {
    readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  };
}
