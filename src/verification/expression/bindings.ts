import { celError } from '@bufbuild/cel';
import type { CelError, CelValue } from '@bufbuild/cel';
import type { Json } from '../../oci/strict-json.ts';
import type { ExpressionContext, ExpressionRoot } from '../../policy/assertions.ts';
import { viewOf } from '../attestation/predicate-views.ts';
import type { ViewRoot } from '../attestation/predicate-views.ts';
import { toCelValue } from './cel-values.ts';
import type { Bindings } from './cel-values.ts';

/** What an attestation says, as its type has it. */
export interface Attested {
  readonly predicateType: string;
  readonly predicate: Json | undefined;
}

/** The kinds of attestation that have a view of their own. */
export const viewRoots = [
  'sbom',
  'provenance',
  'vulnerabilities',
  'vex',
] as const satisfies readonly (ViewRoot & ExpressionRoot)[];

export const isViewRoot = (root: ExpressionRoot): root is ViewRoot => viewRoots.some((view) => view === root);

const absent = (what: string): CelError => celError(what);

/** What a root of the decision is. */
export function contextValue(
  root: keyof ExpressionContext,
  context: ExpressionContext | undefined,
): CelValue | CelError {
  return context === undefined ? absent(`no ${root} is known here`) : toCelValue(context[root]);
}

/** What a root of one attestation is. */
export function attestedValue(
  root: 'predicateType' | 'predicate' | ViewRoot,
  { predicateType, predicate }: Attested,
): CelValue | CelError {
  switch (root) {
    case 'predicateType':
      return predicateType;
    case 'predicate':
      return predicate === undefined ? absent('The attestation has no predicate.') : toCelValue(predicate);
    default: {
      const result = viewOf(root, predicateType, predicate);
      return 'view' in result ? toCelValue(result.view) : absent(result.failure.message);
    }
  }
}

/** Each name is worked out when an expression first meets it: views of large documents take time. */
export function lazyBindings(
  roots: readonly ExpressionRoot[],
  valueOf: (root: ExpressionRoot) => CelValue | CelError,
): Bindings {
  // Without a prototype, so that no name finds what it has.
  const bindings = Object.create(null) as Record<string, CelValue | CelError>;
  for (const root of roots) {
    let value: CelValue | CelError | undefined;
    Object.defineProperty(bindings, root, { enumerable: true, get: () => (value ??= valueOf(root)) });
  }
  return bindings;
}
