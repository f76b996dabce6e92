import type { Signer, VerifiedEvidence } from '../../policy/evidence.ts';

/** What expressions see of a verified signature; what it has not is empty text. */
export interface SignatureFact {
  /** Name of the TrustedIssuer. */
  readonly issuer: string;
  readonly signer: {
    readonly kind: Signer['kind'];
    readonly issuer: string;
    readonly subject: string;
    readonly keyFingerprint: string;
    readonly certificateFingerprint: string;
  };
  /** Digest that the signed content names. */
  readonly subject: string;
  /** Trusted time of signing, RFC 3339. */
  readonly signedAt: string;
}

export function signatureFact({ issuer, signer, subject, signedAtMs }: VerifiedEvidence): SignatureFact {
  const none = { issuer: '', subject: '', keyFingerprint: '', certificateFingerprint: '' };
  const date = new Date(signedAtMs ?? NaN);
  return {
    issuer,
    signer: { ...none, ...signer },
    subject,
    signedAt: Number.isNaN(date.getTime()) ? '' : date.toISOString(),
  };
}
