import { RefwardenError } from '../../failures/failure.ts';
import { isJsonObject, parseStrictJsonText } from '../../oci/strict-json.ts';
import type { Json } from '../../oci/strict-json.ts';

/** What an SPDX document that no statement wraps is said to be. */
export const spdxPredicateType = 'https://spdx.dev/Document';
const predicateTypePattern = /^https:\/\/spdx\.dev\/Document(?:\/v[0-9]+(?:\.[0-9]+){0,2})?$/;
const versionPattern = /^SPDX-(2\.[23])$/;

interface SpdxSbom {
  readonly format: 'SPDX';
  /** `2.2` or `2.3`. */
  readonly version: string;
}

/** The predicate type of SPDX documents, bare or with a version (in-toto attestation predicates, spdx.md). */
export const isSpdxPredicateType = (predicateType: string): boolean =>
  predicateTypePattern.test(predicateType);

/**
 * Recognises the predicate of an SPDX attestation. Old versions of cosign wrap it as `{Data, Timestamp}`, with the document as
 * text in `Data`; their `--type spdx` attests whatever text it is given.
 * @throws RefwardenError `PayloadInvalid`; the message says what is missing.
 */
export function parseSpdx(predicate: Json | undefined): SpdxSbom {
  return parseSpdxDocument(unwrap(predicate));
}

/**
 * Recognises an SPDX 2.2 or 2.3 JSON document.
 * @throws RefwardenError `PayloadInvalid`; the message says what is missing.
 */
export function parseSpdxDocument(document: Json | undefined): SpdxSbom {
  if (!isJsonObject(document)) return refuse('is not a JSON object');
  const spdxVersion = document['spdxVersion'];
  const version = typeof spdxVersion === 'string' ? versionPattern.exec(spdxVersion)?.[1] : undefined;
  if (version === undefined) return refuse('has an spdxVersion other than SPDX-2.2 and SPDX-2.3');
  if (document['SPDXID'] !== 'SPDXRef-DOCUMENT') refuse('has no SPDXID "SPDXRef-DOCUMENT"');
  if (typeof document['name'] !== 'string') refuse('has no name');
  const creation = document['creationInfo'];
  if (!isJsonObject(creation) || typeof creation['created'] !== 'string')
    refuse('has no creationInfo.created');
  const packages = document['packages'];
  if (
    packages !== undefined &&
    !(Array.isArray(packages) && packages.every((entry) => isJsonObject(entry)))
  ) {
    refuse('has packages that are not a list of objects');
  }
  return { format: 'SPDX', version };
}

function unwrap(predicate: Json | undefined): Json | undefined {
  const data =
    isJsonObject(predicate) && predicate['spdxVersion'] === undefined ? predicate['Data'] : undefined;
  const document = data ?? predicate;
  if (typeof document !== 'string') return document;
  if (!document.trimStart().startsWith('{')) return refuse('is tag-value text: attest its JSON form');
  return parseStrictJsonText(document, 'The SPDX document', 'PayloadInvalid');
}

function refuse(what: string): never {
  throw new RefwardenError('PayloadInvalid', `The SPDX document ${what}.`);
}
