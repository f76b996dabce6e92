import { toFailure } from '../failures/failure.ts';
import type { Digest } from '../image/digest.ts';
import { describeSigner } from '../policy/evidence.ts';
import type { VerifiedEvidence } from '../policy/evidence.ts';
import type { Claim } from './claim.ts';
import { excerpt } from './excerpt.ts';
import type { ClaimOutcome } from './artifact-form.ts';
import type { Rejection } from './verification.ts';

/** Most subjects that one message names. */
const maxNamedSubjects = 3;

/** An issuer that answers for content by a good signature; what the content says is not looked at yet. */
export type Acceptance = Pick<
  VerifiedEvidence,
  'issuer' | 'signer' | 'signedAtMs' | 'timeSource' | 'validUntilMs' | 'tolerated'
>;

/**
 * What accepted content says, and whether that is about a wanted subject: one pass for every form.
 * @param readClaim throws a RefwardenError for content that is not of its type.
 */
export function acceptClaim(
  readClaim: () => Claim,
  accepted: readonly [Acceptance, ...Acceptance[]],
  format: VerifiedEvidence['format'],
  wanted: readonly Digest[],
): ClaimOutcome {
  const signer = excerpt(describeSigner(accepted[0].signer));
  let claim: Claim;
  try {
    claim = readClaim();
  } catch (thrown) {
    return { evidence: [], rejections: [{ ...toFailure(thrown), signer }] };
  }
  const { subjects, flaw } = claim;
  const subject = wanted.find((digest) => subjects.includes(digest));
  if (subject === undefined) return { evidence: [], rejections: [mismatch(signer, subjects, wanted)] };
  return {
    evidence: accepted.map((acceptance) => ({ ...said(claim), ...acceptance, subject, format })),
    rejections: flaw === undefined ? [] : [{ ...flaw, signer }],
    claim,
  };
}

/** What evidence repeats of a claim: the predicate is too large to be kept. */
const said = ({ kind, predicateType, sbom }: Claim): Pick<Claim, 'kind' | 'predicateType' | 'sbom'> => ({
  kind,
  ...(predicateType === undefined ? {} : { predicateType }),
  ...(sbom === undefined ? {} : { sbom }),
});

function mismatch(signer: string, claimed: readonly string[], wanted: readonly Digest[]): Rejection {
  const named = claimed.slice(0, maxNamedSubjects).map(excerpt).join(', ');
  const more = claimed.length > maxNamedSubjects ? ` and ${claimed.length - maxNamedSubjects} more` : '';
  return {
    code: 'SubjectMismatch',
    message: `Signed by ${signer} for ${named}${more}, not for ${wanted.join(' or ')}.`,
    signer,
  };
}
