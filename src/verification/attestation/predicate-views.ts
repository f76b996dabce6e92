import { failure } from '../../failures/failure.ts';
import type { Failure } from '../../failures/failure.ts';
import type { Json } from '../../oci/strict-json.ts';
import type { SbomView } from '../sbom/sbom-view.ts';
import type { ProvenanceView } from './provenance-view.ts';
import type { VexView } from './vex-view.ts';
import type { VulnerabilitiesView } from './vulnerabilities-view.ts';

/** The views by the root that expressions name: plain data, as JSON has it, where absent text is empty. */
export interface PredicateViews {
  readonly sbom: SbomView;
  readonly provenance: ProvenanceView;
  readonly vulnerabilities: VulnerabilitiesView;
  readonly vex: VexView;
}
export type ViewRoot = keyof PredicateViews;

/** A view, or why the attestation has none: never an empty one in its place. */
export type ViewResult<View> = { readonly view: View } | { readonly failure: Failure };

/** Builds one view of a predicate, which costs up to 100 ms for a large SBOM: ask only for what is used. */
export function viewOf<Root extends ViewRoot>(
  root: Root,
  predicateType: string,
  _predicate: Json | undefined,
): ViewResult<PredicateViews[Root]> {
  return { failure: failure('PredicateTypeMismatch', `No ${root} in ${predicateType}.`) };
}
