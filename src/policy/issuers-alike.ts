import { createPublicKey } from 'node:crypto';
import type { ResolvedIssuer } from './resolved-issuer.ts';

/** Whether both accept the same key, or share an identity word for word: what satisfies one satisfies the other. */
export function issuersAlike(one: ResolvedIssuer, other: ResolvedIssuer): boolean {
  if (one.kind === 'key' && other.kind === 'key') return keyOf(one.pem) === keyOf(other.pem);
  const identities = identitiesOf(one);
  return one.kind === other.kind && identitiesOf(other).some((identity) => identities.includes(identity));
}

const keyOf = (pem: string): string => {
  try {
    return createPublicKey(pem).export({ format: 'der', type: 'spki' }).toString('base64');
  } catch {
    return pem;
  }
};

function identitiesOf(issuer: ResolvedIssuer): readonly string[] {
  if (issuer.kind === 'keyless') return issuer.identities.map((identity) => JSON.stringify(identity));
  return issuer.kind === 'notation' ? issuer.trustedIdentities : [];
}
