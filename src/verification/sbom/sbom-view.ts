import type { SbomFormat } from '../../policy/evidence.ts';

/** What expressions see of an SBOM, the same for every format. What the document does not say is empty. */
export interface SbomView {
  readonly format: SbomFormat;
  /** Of the format: `2.3`, `1.6`. */
  readonly version: string;
  /** When the document says it was made, as text. */
  readonly created: string;
  readonly packages: readonly SbomPackage[];
}

export interface SbomPackage {
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  /** Distinct licence ids and names, those within expressions each by itself. */
  readonly licenses: readonly string[];
  readonly supplier: string;
}
