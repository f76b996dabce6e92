import { RefwardenError } from '../../failures/failure.ts';
import { isIssuedBy } from './certificate.ts';
import type { Certificate } from './certificate.ts';
import { sameBytes } from './der.ts';
import { basicConstraints, extensionOid, keyUsage, keyUsageBit, purposeOid, purposes } from './extensions.ts';

/** Most certificates from leaf to root. */
const maxChainLength = 8;

/** Extensions whose meaning is heeded here, or is none for a chain. A critical one of another kind refuses it. */
const heeded: ReadonlySet<string> = new Set([
  extensionOid.basicConstraints,
  extensionOid.keyUsage,
  extensionOid.extendedKeyUsage,
  extensionOid.crlDistributionPoints,
  extensionOid.authorityInformationAccess,
  '2.5.29.17', // subject alternative name
  '2.5.29.32', // certificate policies: any will do
]);

export interface WalkOptions {
  /** Certificates that came along: nobody vouches for them. */
  readonly pool: readonly Certificate[];
  readonly roots: readonly Certificate[];
  /** When all must be valid, milliseconds since the epoch. */
  readonly atMs: number;
  /** What the leaf is for: an authority whose certificate limits purposes must have it, too. */
  readonly purpose: string;
  /** Names the chain in messages: `timestamp authority`. */
  readonly what: string;
}

/**
 * The certificates from a leaf to a trusted root: a straight walk by name and signature, where a root comes first and
 * nothing is tried twice. The leaf's own usage is the caller's to check.
 * @throws RefwardenError `CertificateInvalid`; DerFault.
 */
export function walkToRoot(leaf: Certificate, options: WalkOptions): readonly Certificate[] {
  const { pool, roots, what } = options;
  const chain = [leaf];
  for (let last = leaf; !roots.some(({ der }) => sameBytes(der, last.der));) {
    const next = [...roots, ...pool].find(
      (candidate) => !chain.includes(candidate) && isIssuedBy(last, candidate),
    );
    if (next === undefined || chain.length === maxChainLength) {
      throw new RefwardenError(
        'CertificateInvalid',
        `The certificate of the ${what} does not chain to a trusted root: no issuer is trusted of ${last.subjectText}.`,
      );
    }
    chain.push(next);
    last = next;
  }
  for (const [depth, certificate] of chain.entries()) {
    const problem = problemOf(certificate, depth, options);
    if (problem === undefined) continue;
    throw new RefwardenError(
      'CertificateInvalid',
      `The certificate ${certificate.subjectText} of the ${what} ${problem}.`,
    );
  }
  return chain;
}

function problemOf(
  { notBeforeMs, notAfterMs, extensions }: Certificate,
  depth: number,
  { atMs, purpose }: WalkOptions,
): string | undefined {
  if (atMs < notBeforeMs) return `was not valid before ${iso(notBeforeMs)}, and is used for ${iso(atMs)}`;
  if (atMs > notAfterMs) return `expired at ${iso(notAfterMs)}, and is used for ${iso(atMs)}`;
  for (const [oid, { isCritical }] of extensions) {
    if (isCritical && !heeded.has(oid)) return `has the critical extension ${oid}, which is not supported`;
  }
  const constraints = basicConstraints(extensions);
  if (depth === 0) return undefined;
  if (constraints?.isCa !== true || !constraints.isCritical) {
    return 'is not marked as that of a certificate authority (basicConstraints, critical)';
  }
  if ((constraints.maxPathLength ?? depth) < depth - 1) return 'allows no such long chain below it';
  if (keyUsage(extensions)?.has(keyUsageBit.keyCertSign) !== true)
    return 'may not sign certificates (keyUsage)';
  const limits = purposes(extensions);
  return limits === undefined || limits.includes(purpose) || limits.includes(purposeOid.any)
    ? undefined
    : 'limits what is below it to other purposes (extendedKeyUsage)';
}

const iso = (timeMs: number): string => new Date(timeMs).toISOString();
