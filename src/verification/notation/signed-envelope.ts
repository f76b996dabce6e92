import { RefwardenError } from '../../failures/failure.ts';

/** Most certificates of a chain; real ones have two to four. */
export const maxChainCertificates = 10;
/** Largest certificate looked at, in bytes; real ones take 1 to 2 KiB. */
export const maxCertificateBytes = 32 * 1024;
/** Largest payload, in bytes: a descriptor, which may carry annotations. */
const maxPayloadBytes = 64 * 1024;
/** An RSA signature of 4096 bits takes 512 bytes. */
const maxSignatureBytes = 1024;
/** A token with its whole chain takes some 6 KiB; parsing hostile ASN.1 costs far more than its bytes. */
const maxTimestampBytes = 16 * 1024;
/** Most protected attributes, the critical ones among them. */
const maxAttributes = 64;

/** Names that both formats give to the Notary Project's attributes. */
export const attributeNames = {
  signingScheme: 'io.cncf.notary.signingScheme',
  signingTime: 'io.cncf.notary.signingTime',
  authenticSigningTime: 'io.cncf.notary.authenticSigningTime',
  expiry: 'io.cncf.notary.expiry',
  verificationPlugin: 'io.cncf.notary.verificationPlugin',
  verificationPluginMinVersion: 'io.cncf.notary.verificationPluginMinVersion',
  timestampSignature: 'io.cncf.notary.timestampSignature',
  signingAgent: 'io.cncf.notary.signingAgent',
} as const;

/** What the signature covers beside the payload. Times are milliseconds since the epoch. */
export interface ProtectedAttributes {
  readonly signingScheme: string;
  readonly signingTimeMs?: number;
  readonly authenticSigningTimeMs?: number;
  readonly expiryMs?: number;
  /** What is marked critical, as it is listed. */
  readonly critical: readonly string[];
  /** The names of the attributes that are present, those of JWS or COSE itself left out. */
  readonly present: readonly string[];
}

/** One Notary Project signature, whatever format carried it. All of it is a claim. */
export interface SignedEnvelope {
  /** As the envelope states it: the name of an algorithm of JWS, or a text that names none. */
  readonly algorithm: string;
  readonly contentType: string;
  readonly payload: Uint8Array;
  /** The very bytes that are signed: payload and protected attributes. */
  readonly signedBytes: Uint8Array;
  readonly signature: Uint8Array;
  readonly attributes: ProtectedAttributes;
  /** DER, as the envelope lists them: the signer's first, its root last. */
  readonly certificates: readonly Uint8Array[];
  /** DER TimeStampToken (RFC 3161) over the signature. */
  readonly timestampToken?: Uint8Array;
  /** What made it, for people. */
  readonly signingAgent?: string;
}

/** @throws RefwardenError `PayloadInvalid` for more or larger parts than any real signature has. */
export function checkBounds(envelope: SignedEnvelope): SignedEnvelope {
  const { payload, signature, certificates, timestampToken, attributes } = envelope;
  if (payload.length === 0) malformed('has no payload');
  if (payload.length > maxPayloadBytes) malformed(`has a payload larger than ${maxPayloadBytes} bytes`);
  if (signature.length === 0) malformed('has no signature');
  if (signature.length > maxSignatureBytes) {
    malformed(`has a signature larger than ${maxSignatureBytes} bytes`);
  }
  if (certificates.length === 0) malformed('has no certificates');
  if (certificates.length > maxChainCertificates) {
    malformed(`has more than ${maxChainCertificates} certificates`);
  }
  if (certificates.some(({ length }) => length > maxCertificateBytes)) {
    malformed(`has a certificate larger than ${maxCertificateBytes} bytes`);
  }
  if (timestampToken !== undefined && timestampToken.length > maxTimestampBytes) {
    malformed(`has a timestamp larger than ${maxTimestampBytes} bytes`);
  }
  if (attributes.present.length > maxAttributes || attributes.critical.length > maxAttributes) {
    malformed(`has more than ${maxAttributes} protected attributes`);
  }
  return envelope;
}

/** @param what completes "The signature envelope ...". */
export function malformed(what: string, cause?: unknown): never {
  throw new RefwardenError('PayloadInvalid', `The signature envelope ${what}.`, cause);
}
