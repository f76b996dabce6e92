import { toFailure } from '../../failures/failure.ts';
import { computeDigest } from '../../image/digest.ts';
import type { Digest } from '../../image/digest.ts';
import type { VerificationOutcome } from '../verification.ts';
import { parseBundleOf, parseBundleOfDigest } from './bundle.ts';
import { CompiledTrust } from './compiled-trust.ts';
import type { SigstoreIssuer } from './sigstore-form.ts';
import { verifyClaim } from './verify-claim.ts';

export interface BundleVerification {
  /** JSON of a Sigstore bundle. */
  readonly bundle: Uint8Array;
  /** What it is to be for: the bytes themselves, or their SHA-256. */
  readonly artifact: Uint8Array | Digest;
  readonly issuer: SigstoreIssuer;
  /** The time of the decision, milliseconds since the epoch. */
  readonly nowMs: number;
}

/** One bundle for one artifact of any kind, by what admission verifies images with. Never throws for what they hold. */
export function verifyBundle({ bundle, artifact, issuer, nowMs }: BundleVerification): VerificationOutcome {
  const subject = typeof artifact === 'string' ? artifact : computeDigest(artifact);
  try {
    const claim =
      typeof artifact === 'string'
        ? parseBundleOfDigest(artifact, bundle)
        : parseBundleOf({ digest: subject, document: artifact }, bundle);
    // The suite fails a bundle for a bad timestamp beside a good log entry; admission takes it as if it were stripped.
    const demanding =
      claim.entity.timestamps.length > 0 ? { ...issuer, signedTimestamp: 'Required' as const } : issuer;
    const context = { subjects: [subject], issuers: [demanding], nowMs };
    return verifyClaim(claim, 'SigstoreBundle', context, new CompiledTrust());
  } catch (thrown) {
    return { evidence: [], rejections: [toFailure(thrown)] };
  }
}
