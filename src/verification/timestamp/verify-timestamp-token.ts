import { RefwardenError } from '../../failures/failure.ts';

export interface TimestampTokenInput {
  /** DER ContentInfo with SignedData over TSTInfo (RFC 3161, 2.4.2): what a TimeStampResp holds, not the response. */
  readonly token: Uint8Array;
  /** What was timestamped, itself: its hash is computed here. */
  readonly message: Uint8Array;
  /** DER certificates of the timestamp authorities' roots that are trusted. */
  readonly roots: readonly Uint8Array[];
}

export interface VerifiedTimestamp {
  /** Milliseconds since the epoch. */
  readonly genTimeMs: number;
  /** The message existed at most so much after {@link genTimeMs}, and no more before it than that; 0 when none is stated. */
  readonly accuracyMs: number;
  /** Distinguished name of the timestamp authority, for people. */
  readonly signerSubject: string;
  /** DER certificates from the authority's to the root, for revocation. */
  readonly chain: readonly Uint8Array[];
}

/**
 * Verifies a timestamp token (RFC 3161, RFC 5816) up to a trusted root.
 * @throws RefwardenError `PayloadInvalid` for a token that does not parse or is not over the message,
 *   `CertificateInvalid` for its certificates, `TrustedTimeMissing` when nobody trusted signed it.
 */
export function verifyTimestampToken(input: TimestampTokenInput): VerifiedTimestamp {
  throw new RefwardenError('TrustedTimeMissing', `Not built yet (${input.token.length}).`);
}
