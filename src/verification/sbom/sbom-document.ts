import { RefwardenError } from '../../failures/failure.ts';
import { isJsonObject, parseStrictJsonText } from '../../oci/strict-json.ts';
import type { Json, JsonObject } from '../../oci/strict-json.ts';
import type { SbomFormat, VerifiedEvidence } from '../../policy/evidence.ts';
import { cyclonedx } from './cyclonedx.ts';
import { readableSboms } from './sbom-reader.ts';
import type { SbomReader } from './sbom-reader.ts';
import { spdx } from './spdx.ts';

/** Most JSON values of a document: 20,000 packages have some 600,000. */
export const maxSbomValues = 2_000_000;

/** Every format that is read: leaving one out does not compile. */
export const sbomReaders: { readonly [Format in SbomFormat]: SbomReader & { readonly format: SbomFormat } } =
  {
    SPDX: spdx,
    CycloneDX: cyclonedx,
  };

/** Formats that are known and not read. */
const unreadTypes: ReadonlyMap<string, string> = new Map([['https://syft.dev/bom', "Syft's own JSON"]]);

/** The format of attestations of a predicate type. */
export const sbomReaderOf = (predicateType: string): SbomReader | undefined =>
  Object.values(sbomReaders).find(({ predicateTypePattern }) => predicateTypePattern.test(predicateType));

/**
 * Recognises the predicate of an SBOM attestation; undefined when its type is that of none.
 * @throws RefwardenError `PayloadInvalid` or `FormatUnsupported` for a predicate that only calls itself an SBOM.
 */
export function recogniseSbom(
  predicateType: string,
  predicate: Json | undefined,
): NonNullable<VerifiedEvidence['sbom']> | undefined {
  const reader = sbomReaderOf(predicateType);
  if (reader !== undefined) {
    const document = openPredicate(reader, predicate);
    return { format: reader.format, version: reader.readVersion(document) };
  }
  const unread = unreadTypes.get(predicateType);
  if (unread === undefined) return undefined;
  throw new RefwardenError('FormatUnsupported', `The SBOM is ${unread}. Make it ${readableSboms}.`);
}

/**
 * The document that a predicate is. Old versions of cosign wrap it as `{Data, Timestamp}`, with the document or its text
 * in `Data`; their `--type spdx` attests whatever text it is given.
 * @throws RefwardenError `PayloadInvalid` or `FormatUnsupported`.
 */
export function openPredicate({ format }: SbomReader, predicate: Json | undefined): JsonObject {
  const isWrapped =
    isJsonObject(predicate) && predicate['spdxVersion'] === undefined && predicate['bomFormat'] === undefined;
  const wrapped = (isWrapped ? predicate['Data'] : undefined) ?? predicate;
  return openDocument(format, typeof wrapped === 'string' ? parseText(format, wrapped) : wrapped);
}

export function openDocument(format: SbomFormat, document: Json | undefined): JsonObject {
  if (isJsonObject(document)) return document;
  throw new RefwardenError('PayloadInvalid', `The ${format} document is not a JSON object.`);
}

function parseText(format: SbomFormat, text: string): Json {
  const start = text.trimStart();
  if (start.startsWith('{')) {
    return parseStrictJsonText(text, `The ${format} document`, 'PayloadInvalid', maxSbomValues);
  }
  const what = start.startsWith('<') ? 'XML' : format === 'SPDX' ? 'tag-value text' : 'no JSON';
  throw new RefwardenError(
    'FormatUnsupported',
    `The SBOM is ${format} as ${what}. Make it ${readableSboms}.`,
  );
}
