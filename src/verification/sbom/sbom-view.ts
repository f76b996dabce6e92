import { RefwardenError } from '../../failures/failure.ts';
import type { Json } from '../../oci/strict-json.ts';
import type { SbomFormat } from '../../policy/evidence.ts';
import { licensesOf } from './licenses.ts';
import { openPredicate, sbomReaderOf } from './sbom-document.ts';
import type { PackageFields } from './sbom-reader.ts';

/** Most packages of an SBOM: a large image has 20,000. */
export const maxSbomPackages = 100_000;
/** Most distinct licences of one package: that of a whole distribution of TeX has some 60. */
export const maxPackageLicenses = 256;

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
  /** What the name stands in, where the format says it apart: `@sigstore`, `org.apache.logging.log4j`. */
  readonly group: string;
  readonly version: string;
  readonly purl: string;
  /** Distinct licence ids and names, those within expressions each by itself. */
  readonly licenses: readonly string[];
  readonly supplier: string;
}

/**
 * Reads all packages or none: a rule that saw a part of them would hold of the rest unseen. Undefined when the predicate
 * type is that of no SBOM.
 * @throws RefwardenError `PayloadInvalid`, `FormatUnsupported`, or `ArtifactTooLarge` past a bound.
 */
export function readSbomView(predicateType: string, predicate: Json | undefined): SbomView | undefined {
  const reader = sbomReaderOf(predicateType);
  if (reader === undefined) return undefined;
  const document = openPredicate(reader, predicate);
  const version = reader.readVersion(document);
  const packages: SbomPackage[] = [];
  // The same few texts come again and again.
  const known = new Map<string, readonly string[]>();
  for (const fields of reader.readPackages(document)) {
    if (packages.length >= maxSbomPackages) tooLarge(`more than ${maxSbomPackages} packages`);
    packages.push({ ...fields, licenses: distinctLicenses(fields, known) });
  }
  return { format: reader.format, version, created: reader.readCreated(document), packages };
}

function distinctLicenses(
  { licenses }: PackageFields,
  known: Map<string, readonly string[]>,
): readonly string[] {
  const distinct = new Set<string>();
  for (const text of licenses) {
    const found = known.get(text) ?? licensesOf(text);
    known.set(text, found);
    for (const license of found) distinct.add(license);
    if (distinct.size > maxPackageLicenses)
      tooLarge(`more than ${maxPackageLicenses} licences of one package`);
  }
  return [...distinct];
}

function tooLarge(what: string): never {
  throw new RefwardenError('ArtifactTooLarge', `The SBOM has ${what}.`);
}
