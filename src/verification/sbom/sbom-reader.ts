import type { SbomFormat } from '../../policy/evidence.ts';
import type { JsonObject } from '../../oci/strict-json.ts';

/** What a document says of one package, before licences are told apart. */
export interface PackageFields {
  readonly name: string;
  readonly group: string;
  readonly version: string;
  readonly purl: string;
  /** Ids, names and expressions. */
  readonly licenses: readonly string[];
  readonly supplier: string;
}

/** One format of SBOMs. Its methods throw a RefwardenError for what is not of the format. */
export interface SbomReader {
  readonly format: SbomFormat;
  /** What a document that no statement wraps is said to be. */
  readonly predicateType: string;
  readonly predicateTypePattern: RegExp;
  /** The version of a document of the format: cheap, packages are not looked into. */
  readVersion(document: JsonObject): string;
  readCreated(document: JsonObject): string;
  readPackages(document: JsonObject): Iterable<PackageFields>;
}

/** What is read, for messages that ask for it. */
export const readableSboms = 'SPDX 2.2 or 2.3 JSON, or CycloneDX 1.2 to 1.7 JSON';
