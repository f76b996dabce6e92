import { encode } from 'cborg';
import { attributeNames, checkBounds, malformed } from './signed-envelope.ts';
import type { ProtectedAttributes, SignedEnvelope } from './signed-envelope.ts';
import { nameOfCoseLabel } from './signature-algorithms.ts';
import { CborTime, CoseSign1, decodeStrictCbor } from './strict-cbor.ts';

export const coseMediaType = 'application/cose';

/** Labels of COSE headers (RFC 9052, 3.1; RFC 9360). */
const labels = { alg: 1, crit: 2, contentType: 3, x5chain: 33 } as const;
/** Largest label of COSE itself: from 0 on, none of them may be marked critical. */
const maxCommonLabel = 8;

type Headers = ReadonlyMap<string | number, unknown>;

/**
 * Reads a COSE_Sign1_Tagged (signature-envelope-cose.md; RFC 9052, 4.2). Nothing is verified.
 * @throws RefwardenError `PayloadInvalid`.
 */
export function parseCoseEnvelope(bytes: Uint8Array): SignedEnvelope {
  const tagged = decodeStrictCbor(bytes);
  if (!(tagged instanceof CoseSign1)) return malformed('is no tagged COSE_Sign1');
  const parts: readonly unknown[] = Array.isArray(tagged.content) ? tagged.content : [];
  const [protectedBytes, unprotectedMap, payload, signature] = parts;
  if (!isBytes(protectedBytes) || !isBytes(payload) || !isBytes(signature) || parts.length !== 4) {
    return malformed('is not the four parts of a COSE_Sign1 with its payload');
  }
  const protectedHeaders = headersOf(decodeStrictCbor(protectedBytes));
  const unprotected = headersOf(unprotectedMap);
  // RFC 9052, 3: what is in both is in neither for certain.
  if ([...unprotected.keys()].some((label) => protectedHeaders.has(label)) || unprotected.has(labels.crit)) {
    malformed('has a header both protected and unprotected, or an unprotected crit');
  }
  const algorithm = protectedHeaders.get(labels.alg);
  const contentType = protectedHeaders.get(labels.contentType);
  if (typeof algorithm !== 'number') return malformed('states no algorithm');
  if (typeof contentType !== 'string') return malformed('states no content type');
  return checkBounds({
    algorithm: nameOfCoseLabel(algorithm),
    contentType,
    payload,
    signedBytes: encode(['Signature1', protectedBytes, new Uint8Array(0), payload]),
    signature,
    attributes: attributesOf(protectedHeaders),
    certificates: certificatesOf(unprotected.get(labels.x5chain) ?? protectedHeaders.get(labels.x5chain)),
    ...unsignedOf(unprotected),
  });
}

const isBytes = (value: unknown): value is Uint8Array => value instanceof Uint8Array;

function headersOf(value: unknown): Headers {
  if (!(value instanceof Map)) return malformed('has headers that are no map');
  const isLabel = (key: unknown): boolean => typeof key === 'string' || Number.isSafeInteger(key);
  return [...value.keys()].every(isLabel) ? (value as Headers) : malformed('has a header without a label');
}

function attributesOf(headers: Headers): ProtectedAttributes {
  const signingScheme = headers.get(attributeNames.signingScheme);
  const critical = headers.get(labels.crit);
  if (typeof signingScheme !== 'string') return malformed('states no signing scheme');
  if (!Array.isArray(critical)) return malformed('has no list of critical headers');
  return {
    signingScheme,
    ...timeOf(headers, 'signingTimeMs', attributeNames.signingTime),
    ...timeOf(headers, 'authenticSigningTimeMs', attributeNames.authenticSigningTime),
    ...timeOf(headers, 'expiryMs', attributeNames.expiry),
    critical: critical.map(labelName),
    present: [...headers.keys()].filter((label) => !isCommon(label)).map(labelName),
  };
}

const isCommon = (label: unknown): boolean =>
  typeof label === 'number' && label >= 0 && label <= maxCommonLabel;

/** A label of COSE itself reads as none that is present, so that nothing common passes as critical. */
function labelName(label: unknown): string {
  if (typeof label === 'string') return label;
  return Number.isSafeInteger(label)
    ? `label ${String(label)}`
    : malformed('marks critical what is no label');
}

function timeOf<Field extends string>(
  headers: Headers,
  field: Field,
  name: string,
): Partial<Record<Field, number>> {
  const time = headers.get(name);
  if (time === undefined) return {};
  if (!(time instanceof CborTime)) return malformed(`has ${name} that is no time with the tag 1`);
  const ms = time.seconds * 1000;
  // What no Date can hold is no time.
  if (Number.isNaN(new Date(ms).getTime())) malformed(`has ${name} that is out of range`);
  return { [field]: ms } as Record<Field, number>;
}

function certificatesOf(chain: unknown): Uint8Array[] {
  return Array.isArray(chain) && chain.every(isBytes) ? chain : malformed('has no certificates (x5chain)');
}

function unsignedOf(headers: Headers): Pick<SignedEnvelope, 'timestampToken' | 'signingAgent'> {
  const token = headers.get(attributeNames.timestampSignature);
  const agent = headers.get(attributeNames.signingAgent);
  if (token !== undefined && !isBytes(token)) return malformed('has a timestamp that is no byte string');
  return {
    ...(token === undefined || token.length === 0 ? {} : { timestampToken: token }),
    // Never a reason to fail (signature-specification.md "Unsigned Attributes").
    ...(typeof agent === 'string' ? { signingAgent: agent } : {}),
  };
}
