import { failure, toFailure } from '../../failures/failure.ts';
import type { Failure } from '../../failures/failure.ts';
import type { Json } from '../../oci/strict-json.ts';
import { excerpt } from '../excerpt.ts';
import { readSbomView } from '../sbom/sbom-view.ts';
import type { SbomView } from '../sbom/sbom-view.ts';
import { readOpenVex } from './openvex.ts';
import type { ProvenanceView } from './provenance-view.ts';
import { readProvenance } from './slsa-provenance.ts';
import type { VexView } from './vex-view.ts';
import type { VulnerabilitiesView } from './vulnerabilities/vulnerabilities-view.ts';
import { readVulnerabilities } from './vulnerabilities/vulnerability-report.ts';

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

/** Undefined for a predicate type of another kind; a RefwardenError for a predicate that is not of its type. */
type ViewReader<View> = (predicateType: string, predicate: Json | undefined) => View | undefined;

const readers: { readonly [Root in ViewRoot]: ViewReader<PredicateViews[Root]> } = {
  sbom: readSbomView,
  provenance: readProvenance,
  vulnerabilities: readVulnerabilities,
  vex: readOpenVex,
};

/**
 * Builds one view of a predicate, anew at each call; never throws. It costs up to 100 ms for a large SBOM: ask only for
 * what is used.
 */
export function viewOf<Root extends ViewRoot>(
  root: Root,
  predicateType: string,
  predicate: Json | undefined,
): ViewResult<PredicateViews[Root]> {
  try {
    const view = readers[root](predicateType, predicate);
    if (view !== undefined) return { view };
    const message = `The attestation has no ${root}: its predicate type is ${excerpt(predicateType)}.`;
    return { failure: failure('PredicateTypeMismatch', message) };
  } catch (thrown) {
    return { failure: toFailure(thrown) };
  }
}
