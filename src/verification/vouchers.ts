import { describeSigner } from '../policy/evidence.ts';
import type { VerifiedEvidence } from '../policy/evidence.ts';
import type { Acceptance } from './accept-claim.ts';
import { excerpt } from './excerpt.ts';
import type { Rejection, VerificationRequest } from './verification.ts';

/** Most distinct vouchers of one artifact that count: each makes evidence of everything it holds. */
export const maxVouchersPerArtifact = 64;

interface Vouching {
  /** Absent when no voucher counts. */
  readonly accepted?: readonly [Acceptance, ...Acceptance[]];
  readonly rejections: readonly Rejection[];
}

/**
 * The vouchers that count: signatures, by issuers that are asked for, not expired. Who gave them has proven that they
 * cover the artifact. With none, the rejections say why.
 */
export function acceptVouchers({
  artifact,
  vouchers = [],
  issuers,
  nowMs,
}: Pick<VerificationRequest, 'artifact' | 'vouchers' | 'issuers' | 'nowMs'>): Vouching {
  const names = new Set(issuers.map(({ name }) => name));
  const distinct = new Map<string, Acceptance>();
  const rejections: Rejection[] = [];
  for (const voucher of vouchers) {
    const refusal = refuse(voucher, names, nowMs);
    if (refusal === undefined) {
      const acceptance = acceptanceOf(voucher);
      distinct.set(JSON.stringify(acceptance), acceptance);
    } else {
      rejections.push({ ...refusal, about: 'attestation', signer: excerpt(describeSigner(voucher.signer)) });
    }
  }
  const [first, ...rest] = [...distinct.values()].slice(0, maxVouchersPerArtifact);
  if (distinct.size > maxVouchersPerArtifact) {
    rejections.push({
      code: 'ArtifactTooLarge',
      message: `${distinct.size} signatures vouch for the artifact; the first ${maxVouchersPerArtifact} were looked at.`,
      about: 'attestation',
    });
  }
  if (first !== undefined) return { accepted: [first, ...rest], rejections };
  const none: Rejection = {
    code: 'VoucherMissing',
    message: `The content of ${artifact.digest} is unsigned: it counts only under a signature of that manifest, or of an index that contains it.`,
    about: 'attestation',
  };
  return { rejections: rejections.length > 0 ? rejections : [none] };
}

function refuse(
  { kind, issuer, validUntilMs = Infinity }: VerifiedEvidence,
  issuers: ReadonlySet<string>,
  nowMs: number,
): Pick<Rejection, 'code' | 'message'> | undefined {
  if (kind !== 'signature') {
    return { code: 'VoucherMissing', message: 'An attestation vouches for nothing but its own content.' };
  }
  if (!issuers.has(issuer)) {
    return {
      code: 'SignerNotTrusted',
      message: `The signature that vouches for it is of the issuer ${issuer}, which is not asked for.`,
    };
  }
  return nowMs < validUntilMs
    ? undefined
    : { code: 'VoucherMissing', message: 'The signature that vouches for it has expired.' };
}

function acceptanceOf(voucher: VerifiedEvidence): Acceptance {
  const { issuer, signer, signedAtMs, timeSource, validUntilMs, tolerated } = voucher;
  return {
    issuer,
    signer,
    ...(signedAtMs === undefined ? {} : { signedAtMs }),
    ...(timeSource === undefined ? {} : { timeSource }),
    ...(validUntilMs === undefined ? {} : { validUntilMs }),
    ...(tolerated === undefined ? {} : { tolerated }),
  };
}
