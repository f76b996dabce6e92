import type { Failure } from '../failures/failure.ts';
import type { Digest } from '../image/digest.ts';
import type { Manifest } from '../oci/manifest.ts';
import type { VerifiedEvidence } from '../policy/evidence.ts';
import type { ResolvedIssuer } from '../policy/resolved-issuer.ts';

/** One artifact with the bytes that its form needs. */
export interface VerificationRequest {
  readonly artifact: { readonly digest: Digest; readonly manifest: Manifest };
  /** Bytes by layer digest, each already size-checked and digest-verified. */
  readonly layers: ReadonlyMap<Digest, Uint8Array>;
  /** Digests that the signed content may name, the preferred one first. */
  readonly subjects: readonly Digest[];
  readonly issuers: readonly ResolvedIssuer[];
  /** The time of the decision, milliseconds since the epoch. */
  readonly nowMs: number;
}

/** Why one signature of an artifact does not count. */
export interface Rejection extends Failure {
  /** The signer that the artifact shows (verified or claimed), for people. */
  readonly signer?: string;
}

export interface VerificationOutcome {
  readonly evidence: readonly VerifiedEvidence[];
  readonly rejections: readonly Rejection[];
}
