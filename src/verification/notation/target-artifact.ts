import { RefwardenError } from '../../failures/failure.ts';
import { matchesDigest } from '../../image/digest.ts';
import type { Digest } from '../../image/digest.ts';
import { parseDocument } from '../../oci/manifest.ts';
import { FieldNames, findFoldedKey, isJsonObject, parseStrictJson } from '../../oci/strict-json.ts';
import type { JsonObject } from '../../oci/strict-json.ts';
import { excerpt } from '../excerpt.ts';

export const payloadType = 'application/vnd.cncf.notary.payload.v1+json';

/** Most JSON values of a payload: a descriptor, which may carry annotations. */
const maxPayloadValues = 1000;

const payloadFields = new FieldNames('targetArtifact');
const targetFields = new FieldNames('mediaType', 'digest', 'size');

/** What is signed, as far as it counts. */
export interface TargetArtifact {
  readonly mediaType: string;
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

/** @throws RefwardenError `PayloadInvalid` (signature-specification.md "Payload"). */
export function parsePayload(bytes: Uint8Array): TargetArtifact {
  const json = parseStrictJson(bytes, 'The signed payload', 'PayloadInvalid', maxPayloadValues);
  if (!isJsonObject(json)) return refuse('is no object');
  const { targetArtifact: target } = withoutFolded(json, payloadFields);
  if (!isJsonObject(target)) return refuse('names no targetArtifact');
  const { mediaType, digest, size } = withoutFolded(target, targetFields);
  if (typeof mediaType !== 'string' || typeof digest !== 'string' || typeof size !== 'number') {
    return refuse('names a targetArtifact without mediaType, digest or size');
  }
  return { mediaType, digest, size };
}

/** notation-go reads keys in any case. */
function withoutFolded(object: JsonObject, fields: FieldNames): JsonObject {
  const folded = findFoldedKey(object, fields);
  return folded === undefined ? object : refuse(`spells a field as ${JSON.stringify(excerpt(folded))}`);
}

function refuse(what: string): never {
  throw new RefwardenError('PayloadInvalid', `The signed payload ${what}.`);
}

/**
 * What is wrong with the target: digest, size and media type must all be those of the subject.
 * @param document bytes of the subject, which say its size and media type.
 */
export function targetProblem(
  { mediaType, digest, size }: TargetArtifact,
  subject: Digest | undefined,
  document: Uint8Array | undefined,
): string | undefined {
  if (subject === undefined || digest !== subject) {
    return `The signature is for ${excerpt(digest)}, not for ${subject ?? 'nothing'}.`;
  }
  if (document === undefined || !matchesDigest(document, subject)) {
    return `The size and media type of ${subject} are not known: its bytes were not given.`;
  }
  if (size !== document.length) {
    return `The signature is for ${subject} of ${size} bytes; it has ${document.length}.`;
  }
  // Its own word, or what it is without one (image-spec manifest.md, image-index.md).
  const actual = parseDocument(document, undefined, `subject ${subject}`).mediaType;
  return mediaType === actual
    ? undefined
    : `The signature is for ${subject} as ${excerpt(mediaType)}; it is ${excerpt(actual)}.`;
}
