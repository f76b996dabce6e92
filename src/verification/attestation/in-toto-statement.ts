import { failure, RefwardenError, toFailure } from '../../failures/failure.ts';
import { isJsonObject, parseStrictJson } from '../../oci/strict-json.ts';
import type { Json } from '../../oci/strict-json.ts';
import type { Claim } from '../claim.ts';
import { recogniseSbom } from '../sbom/sbom-document.ts';

/** Most JSON values of a statement: an SBOM of 20,000 packages has some 600,000. */
export const maxStatementValues = 2_000_000;

/** Payload type of an envelope, and media type of a statement that stands alone. */
export const inTotoMediaType = 'application/vnd.in-toto+json';
/** cosign 3 signs an image as a statement of this type: it is a signature, and no attestation. */
const cosignSignPredicateType = 'https://sigstore.dev/cosign/sign/v1';
const statementTypes: readonly Json[] = [
  'https://in-toto.io/Statement/v0.1',
  'https://in-toto.io/Statement/v1',
];

/** Most subjects of one statement; a release of many files has tens. */
export const maxStatementSubjects = 1024;
const maxDigestsPerSubject = 16;
const maxPredicateTypeLength = 1024;

/**
 * Reads an in-toto statement (in-toto attestation spec v0.1 and v1, statement.md).
 * @throws RefwardenError `PayloadInvalid`.
 */
export function parseStatement(payloadType: string, payload: Uint8Array): Claim {
  if (payloadType !== inTotoMediaType) refuse(`The envelope's payload type is not ${inTotoMediaType}.`);
  const json = parseStrictJson(payload, 'The statement', 'PayloadInvalid', maxStatementValues);
  if (!isJsonObject(json)) return refuse('The statement is not an object.');
  if (!statementTypes.includes(json['_type'] ?? null))
    refuse('The statement is not an in-toto statement v0.1 or v1.');
  const predicateType = json['predicateType'];
  if (
    typeof predicateType !== 'string' ||
    predicateType === '' ||
    predicateType.length > maxPredicateTypeLength
  ) {
    return refuse('The statement has no predicateType.');
  }
  const subjects = parseSubjects(json['subject']);
  if (predicateType === cosignSignPredicateType) return { kind: 'signature', subjects };
  const predicate = json['predicate'];
  return {
    kind: 'attestation',
    predicateType,
    subjects,
    document: payload,
    ...(predicate === undefined ? {} : { predicate }),
    ...readSbom(predicateType, predicate),
  };
}

function parseSubjects(value: Json | undefined): string[] {
  if (!Array.isArray(value) || value.length === 0) return refuse('The statement has no subject.');
  if (value.length > maxStatementSubjects)
    refuse(`The statement has more than ${maxStatementSubjects} subjects.`);
  return value.flatMap((subject) => {
    const digests = isJsonObject(subject) ? subject['digest'] : undefined;
    if (!isJsonObject(digests)) return refuse('A subject of the statement has no digest.');
    const entries = Object.entries(digests);
    if (entries.length > maxDigestsPerSubject)
      refuse(`A subject has more than ${maxDigestsPerSubject} digests.`);
    return entries.map(([algorithm, hex]) =>
      typeof hex === 'string' ? `${algorithm}:${hex}` : refuse('A digest of a subject is no text.'),
    );
  });
}

/** A predicate that only calls itself an SBOM leaves an attestation without one, and says why. */
function readSbom(predicateType: string, predicate: Json | undefined): Pick<Claim, 'sbom' | 'flaw'> {
  try {
    const sbom = recogniseSbom(predicateType, predicate);
    return sbom === undefined ? {} : { sbom };
  } catch (thrown) {
    const { code, message } = toFailure(thrown);
    return { flaw: failure(code, message) };
  }
}

function refuse(message: string): never {
  throw new RefwardenError('PayloadInvalid', message);
}
