import type { VerifiedEvidence } from '../../policy/evidence.ts';
import { acceptClaim } from '../accept-claim.ts';
import type { ClaimOutcome } from '../artifact-form.ts';
import type { CompiledTrust } from './compiled-trust.ts';
import type { SignedClaim, SigstoreContext } from './sigstore-form.ts';
import { verifySignature } from './verify-signature.ts';

/** Signature first, then what it says. */
export function verifyClaim(
  { entity, readClaim }: SignedClaim,
  format: VerifiedEvidence['format'],
  context: SigstoreContext,
  trust: CompiledTrust,
): ClaimOutcome {
  const result = verifySignature(entity, context, trust);
  return 'rejection' in result
    ? { evidence: [], rejections: [result.rejection] }
    : acceptClaim(readClaim, result.accepted, format, context.subjects);
}
