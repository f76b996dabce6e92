import { toFailure } from '../failures/failure.ts';
import type { Digest } from '../image/digest.ts';
import { describeSigner } from '../policy/evidence.ts';
import type { VerifiedEvidence } from '../policy/evidence.ts';
import { printable } from './printable.ts';
import { judgeSignature } from './sigstore/judge-signature.ts';
import type { SignedMaterial } from './sigstore/signed-material.ts';
import type { VerificationContext } from './artifact-form.ts';
import type { Rejection, VerificationOutcome } from './verification.ts';

/** What a signed payload says, read only once the signature is known to be good. */
export interface Claim extends Pick<VerifiedEvidence, 'kind' | 'predicateType' | 'sbom'> {
  /** Every digest that the payload names as its subject, as `algorithm:hex`. */
  readonly subjects: readonly string[];
  /** Something in the payload does not parse and so does not count, while the rest does. */
  readonly flaw?: Rejection;
}

/** Most subjects that one message names. */
const maxNamedSubjects = 3;

/**
 * Signature first, then what it says, then whether that is about a wanted subject: one pass for every form.
 * @param readClaim throws RefwardenError `PayloadInvalid` for a payload that is not of its type.
 */
export function verifyClaim(
  material: SignedMaterial,
  format: VerifiedEvidence['format'],
  context: VerificationContext,
  readClaim: () => Claim,
): VerificationOutcome {
  const judgement = judgeSignature(material, context);
  const [first] = judgement.accepted;
  if (first === undefined)
    return { evidence: [], rejections: 'rejection' in judgement ? [judgement.rejection] : [] };
  const signer = printable(describeSigner(first.signer));
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
    evidence: judgement.accepted.map((acceptance) => ({ ...said, ...acceptance, subject, format })),
    rejections: flaw === undefined ? [] : [{ ...flaw, signer }],
  };
}

function mismatch(signer: string, claimed: readonly string[], wanted: readonly Digest[]): Rejection {
  const named = claimed.slice(0, maxNamedSubjects).map(printable).join(', ');
  const more = claimed.length > maxNamedSubjects ? ` and ${claimed.length - maxNamedSubjects} more` : '';
  return {
    code: 'SubjectMismatch',
    message: `Signed by ${signer} for ${named}${more}, not for ${wanted.join(' or ')}.`,
    signer,
  };
}
