import type { Failure } from '../failures/failure.ts';
import type { Digest } from '../image/digest.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Manifest } from '../oci/manifest.ts';
import { isOfContent } from '../policy/assertions.ts';
import type { Assertion, AssertionSet, ExpressionContext, ExpressionRoot } from '../policy/assertions.ts';
import type { AssertionResult, VerifiedEvidence } from '../policy/evidence.ts';
import type { ResolvedIssuer } from '../policy/resolved-issuer.ts';

/** What a verification has to be given beside the artifact's manifest. */
export interface ArtifactNeeds {
  /** Of the forms that carry signatures. */
  readonly layers: readonly Descriptor[];
  /** Of the forms that carry none: wanted only together with {@link VerificationRequest.vouchers}. */
  readonly vouched: readonly Descriptor[];
  /** Whether the artifact may sign the subject's own bytes, so that they are needed, not only their digest. */
  readonly subjectDocument: boolean;
  /**
   * What is left out by the manifest alone: too large or too much, so that what is behind it may have been the good
   * one; or of a kind that can never count.
   */
  readonly skipped: readonly Rejection[];
}

/** One artifact with the bytes that its form needs. */
export interface VerificationRequest {
  readonly artifact: { readonly digest: Digest; readonly manifest: Manifest };
  /**
   * Verified signatures that cover the artifact: of its own manifest, or of an index that is proven by hash to contain it
   * as an attestation entry. That proof is the caller's: nothing here can repeat it. Absent or empty, what the artifact
   * holds unsigned does not count.
   */
  readonly vouchers?: readonly VerifiedEvidence[];
  /** Bytes by layer digest, each already size-checked and digest-verified. */
  readonly layers: ReadonlyMap<Digest, Uint8Array>;
  /** Digests that the signed content may name, the preferred one first. */
  readonly subjects: readonly Digest[];
  /** Bytes of the manifest or index that the first subject names, when {@link ArtifactNeeds.subjectDocument} asks for them. */
  readonly subjectDocument?: Uint8Array;
  readonly issuers: readonly ResolvedIssuer[];
  /** What is asked of the content of attestations; the evidence holds the results. */
  readonly assertions?: readonly AssertionSet[];
  /** What the assertions may name beside the content. */
  readonly context?: ExpressionContext;
  /** Whether accepted attestations come with their statements, for cross-checks. */
  readonly keepStatements?: boolean;
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

/** Evidence as verification hands it out. */
export interface ProvenEvidence extends VerifiedEvidence {
  /** Bytes of the in-toto statement or document, where {@link VerificationRequest.keepStatements} asks for them. */
  readonly statement?: Uint8Array;
}

export interface VerificationOutcome {
  readonly evidence: readonly ProvenEvidence[];
  readonly rejections: readonly Rejection[];
}

/** Expressions over several verified artifacts of one image. */
export interface CrossCheckRequest {
  /** All must be true, in one choice of the SBOM, provenance, ... that they name. */
  readonly checks: readonly Assertion[];
  /** What the expressions name. */
  readonly uses: readonly ExpressionRoot[];
  readonly context: ExpressionContext;
  readonly signatures: readonly VerifiedEvidence[];
  /** With their statements: what comes without is not seen. */
  readonly attestations: readonly ProvenEvidence[];
  /** The time of the decision, milliseconds since the epoch: what has expired is not seen. */
  readonly nowMs: number;
}

/** For whom something is verified: work is shared out among tenants, and dropped when nobody waits for it. */
export interface VerificationCaller {
  /** Namespace of the workload. */
  readonly tenant: string;
  /** Ends this caller's wait. */
  readonly signal: AbortSignal;
}

/** The request without what is asked of content. */
export function withoutAssertions({
  assertions: _,
  context: __,
  ...plain
}: VerificationRequest): VerificationRequest {
  return plain;
}

/** Whether anything that was proven is asked of. */
export function holdsAsked(
  { evidence }: VerificationOutcome,
  { assertions = [] }: VerificationRequest,
): boolean {
  return assertions.some(({ of }) => evidence.some((item) => isOfContent(of, item)));
}

/** Async and over raw bytes, so that it can run in a worker. Never throws for what an artifact holds. */
export interface Verifier {
  /** What {@link verify} has to be given, by the manifest alone. */
  needs(manifest: Manifest): ArtifactNeeds;
  verify(request: VerificationRequest, caller?: VerificationCaller): Promise<VerificationOutcome>;
  crossCheck(request: CrossCheckRequest, caller?: VerificationCaller): Promise<AssertionResult>;
}
