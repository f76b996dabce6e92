import { toFailure } from '../../failures/failure.ts';
import type { Digest } from '../../image/digest.ts';
import { describeSigner } from '../../policy/evidence.ts';
import type { VerifiedEvidence } from '../../policy/evidence.ts';
import type { Claim } from '../claim.ts';
import { excerpt } from '../excerpt.ts';
import type { Rejection, VerificationOutcome } from '../verification.ts';
import type { CompiledTrust } from './compiled-trust.ts';
import type { SignedClaim, SigstoreContext } from './sigstore-form.ts';
import { verifySignature } from './verify-signature.ts';

/** Most subjects that one message names. */
const maxNamedSubjects = 3;

/** Signature first, then what it says, then whether that is about a wanted subject: one pass for every form. */
export function verifyClaim(
  { entity, readClaim }: SignedClaim,
  format: VerifiedEvidence['format'],
  context: SigstoreContext,
  trust: CompiledTrust,
): VerificationOutcome {
  const result = verifySignature(entity, context, trust);
  const [first] = result.accepted;
  if (first === undefined)
    return { evidence: [], rejections: 'rejection' in result ? [result.rejection] : [] };
  const signer = excerpt(describeSigner(first.signer));
  let claim: Claim;
  try {
    claim = readClaim();
  } catch (thrown) {
    return { evidence: [], rejections: [{ ...toFailure(thrown), signer }] };
  }
  const { subjects, flaw, ...said } = claim;
  const subject = context.subjects.find((wanted) => subjects.includes(wanted));
  if (subject === undefined)
    return { evidence: [], rejections: [mismatch(signer, subjects, context.subjects)] };
  return {
    evidence: result.accepted.map((acceptance) => ({ ...said, ...acceptance, subject, format })),
    rejections: flaw === undefined ? [] : [{ ...flaw, signer }],
  };
}

function mismatch(signer: string, claimed: readonly string[], wanted: readonly Digest[]): Rejection {
  const named = claimed.slice(0, maxNamedSubjects).map(excerpt).join(', ');
  const more = claimed.length > maxNamedSubjects ? ` and ${claimed.length - maxNamedSubjects} more` : '';
  return {
    code: 'SubjectMismatch',
    message: `Signed by ${signer} for ${named}${more}, not for ${wanted.join(' or ')}.`,
    signer,
  };
}
