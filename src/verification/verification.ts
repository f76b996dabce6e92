import type { Failure } from '../failures/failure.ts';
import type { Digest } from '../image/digest.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Manifest } from '../oci/manifest.ts';
import type { VerifiedEvidence } from '../policy/evidence.ts';
import type { ResolvedIssuer } from '../policy/resolved-issuer.ts';

/** What a verification has to be given beside the artifact's manifest. */
export interface ArtifactNeeds {
  /** Empty when no verifier knows the artifact's form. */
  readonly layers: readonly Descriptor[];
  /** Layers that are not signed themselves: they are read only under {@link VerificationRequest.vouchers}. */
  readonly vouched: readonly Descriptor[];
  /** Whether the artifact may sign the subject's own bytes, so that they are needed, not only their digest. */
  readonly subjectDocument: boolean;
  /** What is left out because it is too large or too much; what is behind it may have been the good one. */
  readonly skipped: readonly Failure[];
}

/** One artifact with the bytes that its form needs. */
export interface VerificationRequest {
  readonly artifact: { readonly digest: Digest; readonly manifest: Manifest };
  /** Bytes by layer digest, each already size-checked and digest-verified. */
  readonly layers: ReadonlyMap<Digest, Uint8Array>;
  /** Digests that the signed content may name, the preferred one first. */
  readonly subjects: readonly Digest[];
  /** Bytes of the manifest or index that the first subject names, when {@link ArtifactNeeds.subjectDocument} asks for them. */
  readonly subjectDocument?: Uint8Array;
  /**
   * Verified signatures over the artifact's own manifest, or over an index that is proven to hold it. The caller proves
   * that; the verifier takes them for what they say.
   */
  readonly vouchers?: readonly VerifiedEvidence[];
  readonly issuers: readonly ResolvedIssuer[];
  /** The time of the decision, milliseconds since the epoch. */
  readonly nowMs: number;
}

/** Why one signature of an artifact does not count. */
export interface Rejection extends Failure {
  /** What the artifact would have been; absent when that cannot be told. */
  readonly about?: VerifiedEvidence['kind'];
  /** The signer that the artifact shows (verified or claimed), for people. */
  readonly signer?: string;
}

export interface VerificationOutcome {
  readonly evidence: readonly VerifiedEvidence[];
  readonly rejections: readonly Rejection[];
}

/** Async and over raw bytes, so that it can run in a worker. Never throws for what an artifact holds. */
export interface Verifier {
  /** What {@link verify} has to be given, by the manifest alone. */
  needs(manifest: Manifest): ArtifactNeeds;
  verify(request: VerificationRequest): Promise<VerificationOutcome>;
}
