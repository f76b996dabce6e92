import { findFoldedKey, FieldNames, isJsonObject, parseStrictJson } from '../../oci/strict-json.ts';
import type { Json, JsonObject } from '../../oci/strict-json.ts';
import { parseRfc3339 } from './rfc3339.ts';
import { attributeNames, checkBounds, malformed, maxChainCertificates } from './signed-envelope.ts';
import type { ProtectedAttributes, SignedEnvelope } from './signed-envelope.ts';

export const jwsMediaType = 'application/jose+json';

/** Most JSON values of an envelope, and of its protected header. */
const maxEnvelopeValues = 1000;

const envelopeFields = new FieldNames('payload', 'protected', 'header', 'signature');
const protectedFields = new FieldNames('alg', 'cty', 'crit', ...Object.values(attributeNames));
/** Header parameters of JOSE itself (IANA "JSON Web Signature and Encryption Header Parameters"): never in `crit`. */
const registered: ReadonlySet<string> = new Set(
  'alg jku jwk kid x5u x5c x5t x5t#S256 typ cty crit'.split(' '),
);

/**
 * Reads a JWS in flattened JSON serialization (signature-envelope-jws.md; RFC 7515, 7.2.2). Nothing is verified.
 * @throws RefwardenError `PayloadInvalid`.
 */
export function parseJwsEnvelope(bytes: Uint8Array): SignedEnvelope {
  const json = parseStrictJson(bytes, 'The signature envelope', 'PayloadInvalid', maxEnvelopeValues);
  if (!isJsonObject(json)) return malformed('is no JSON object');
  if (json['signatures'] !== undefined) malformed('is a general JWS; only flattened JSON is taken');
  const unknown = Object.keys(json).find((key) => !envelopeFields.exact.has(key));
  if (unknown !== undefined) malformed('has fields beside payload, protected, header and signature');
  const { payload, protected: encodedHeader, header, signature } = json;
  if (typeof payload !== 'string' || typeof encodedHeader !== 'string' || typeof signature !== 'string') {
    return malformed('lacks payload, protected or signature as text');
  }
  if (!isJsonObject(header)) return malformed('has no unprotected header');
  const protectedHeader = parseProtectedHeader(encodedHeader);
  // RFC 7515, 7.2.1: the names must be disjoint; and who is to be believed otherwise?
  const twice = Object.keys(header).find((key) => Object.hasOwn(protectedHeader, key));
  if (twice !== undefined || header['crit'] !== undefined) {
    malformed('has a header both protected and unprotected, or an unprotected crit');
  }
  // RFC 7797 changes what is signed; the specification knows nothing of it.
  if (header['b64'] !== undefined || protectedHeader['b64'] !== undefined) malformed('uses the header b64');
  const { alg, cty } = protectedHeader;
  if (typeof alg !== 'string' || typeof cty !== 'string') return malformed('lacks alg or cty as text');
  return checkBounds({
    algorithm: alg,
    contentType: cty,
    payload: decode(payload, 'base64url', 'payload'),
    signedBytes: Buffer.from(`${encodedHeader}.${payload}`, 'ascii'),
    signature: decode(signature, 'base64url', 'signature'),
    attributes: attributesOf(protectedHeader),
    certificates: certificatesOf(header['x5c']),
    ...unsignedOf(header),
  });
}

function parseProtectedHeader(encoded: string): JsonObject {
  const bytes = decode(encoded, 'base64url', 'protected header');
  const header = parseStrictJson(bytes, 'The protected header', 'PayloadInvalid', maxEnvelopeValues);
  if (!isJsonObject(header)) return malformed('has a protected header that is no object');
  // notation-go reads keys in any case.
  const folded = findFoldedKey(header, protectedFields);
  if (folded !== undefined) malformed(`spells a protected header as ${JSON.stringify(folded)}`);
  return header;
}

function attributesOf(header: JsonObject): ProtectedAttributes {
  const { crit } = header;
  const signingScheme = header[attributeNames.signingScheme];
  if (typeof signingScheme !== 'string') return malformed('states no signing scheme');
  if (!isTexts(crit)) return malformed('has no list of critical headers');
  return {
    signingScheme,
    ...timeOf(header, 'signingTimeMs', attributeNames.signingTime),
    ...timeOf(header, 'authenticSigningTimeMs', attributeNames.authenticSigningTime),
    ...timeOf(header, 'expiryMs', attributeNames.expiry),
    critical: crit,
    present: Object.keys(header).filter((key) => !registered.has(key)),
  };
}

const isTexts = (value: Json | undefined): value is string[] =>
  Array.isArray(value) && value.every((entry) => typeof entry === 'string');

function timeOf<Field extends string>(
  header: JsonObject,
  field: Field,
  name: string,
): Partial<Record<Field, number>> {
  const text = header[name];
  if (text === undefined) return {};
  const ms = typeof text === 'string' ? parseRfc3339(text) : undefined;
  if (ms === undefined) return malformed(`has ${name} that is no time of RFC 3339`);
  return { [field]: ms } as Record<Field, number>;
}

function certificatesOf(x5c: Json | undefined): Uint8Array[] {
  if (!isTexts(x5c)) return malformed('has no certificates (x5c)');
  if (x5c.length > maxChainCertificates) malformed(`has more than ${maxChainCertificates} certificates`);
  return x5c.map((text) => decode(text, 'base64', 'certificate'));
}

function unsignedOf(header: JsonObject): Pick<SignedEnvelope, 'timestampToken' | 'signingAgent'> {
  const token = header[attributeNames.timestampSignature];
  const agent = header[attributeNames.signingAgent];
  if (token !== undefined && typeof token !== 'string') malformed('has a timestamp that is no text');
  return {
    ...(token === undefined || token === '' ? {} : { timestampToken: decode(token, 'base64', 'timestamp') }),
    // Never a reason to fail (signature-specification.md "Unsigned Attributes").
    ...(typeof agent === 'string' ? { signingAgent: agent } : {}),
  };
}

/** Canonical only: one content has one spelling. */
function decode(text: string, encoding: 'base64' | 'base64url', what: string): Buffer {
  const bytes = Buffer.from(text, encoding);
  return bytes.toString(encoding) === text ? bytes : malformed(`has a ${what} that is no ${encoding}`);
}
