import { ExtendedKeyUsage, KeyUsageFlags } from '@peculiar/x509';
import { excerpt } from '../excerpt.ts';
import { formatDistinguishedName } from './distinguished-name.ts';
import type { NotationCertificate } from './notation-certificate.ts';
import { algorithmOfKey, signingKeys } from './signature-algorithms.ts';

/** From the signer's certificate to its root. */
export type CertificateChain = readonly [NotationCertificate, ...NotationCertificate[]];

/** Ed25519 hashes by itself, with SHA-512. */
const soundHashes: ReadonlySet<string> = new Set(['SHA-256', 'SHA-384', 'SHA-512', 'Ed25519']);

/** Bits that a signer's certificate must not have, by the names of RFC 5280. */
const forbiddenUsages = {
  keyEncipherment: KeyUsageFlags.keyEncipherment,
  dataEncipherment: KeyUsageFlags.dataEncipherment,
  keyAgreement: KeyUsageFlags.keyAgreement,
  keyCertSign: KeyUsageFlags.keyCertSign,
  cRLSign: KeyUsageFlags.cRLSign,
  encipherOnly: KeyUsageFlags.encipherOnly,
  decipherOnly: KeyUsageFlags.decipherOnly,
} as const;

/** Purposes that a signer's certificate must not have. */
const forbiddenPurposes: Readonly<Record<string, string>> = {
  '2.5.29.37.0': 'anyExtendedKeyUsage',
  [ExtendedKeyUsage.serverAuth]: 'serverAuth',
  [ExtendedKeyUsage.clientAuth]: 'clientAuth',
  [ExtendedKeyUsage.emailProtection]: 'emailProtection',
  [ExtendedKeyUsage.timeStamping]: 'timeStamping',
  [ExtendedKeyUsage.ocspSigning]: 'OCSPSigning',
};

// The rules of signature-specification.md "Certificate Requirements". Each says what is wrong, or nothing.

/** Each certificate is issued by the next, the last by itself, and no other by itself. */
export function orderProblem(chain: CertificateChain): string | undefined {
  const root = chain.length - 1;
  for (const [index, certificate] of chain.entries()) {
    const isRoot = index === root;
    if (certificate.isIssuedBy(certificate) !== isRoot) {
      return isRoot
        ? `The chain does not end in a self-signed certificate: ${nameOf(certificate)} is not.`
        : `The chain goes on behind ${nameOf(certificate)}, which is self-signed.`;
    }
    const above = chain[index + 1];
    if (above !== undefined && !certificate.isIssuedBy(above)) {
      return `${nameOf(certificate)} is not issued by the next certificate, ${nameOf(above)}.`;
    }
  }
  return undefined;
}

/** SHA-2 throughout. */
export function hashProblem(chain: CertificateChain): string | undefined {
  const weak = chain.find(({ signedWith }) => !soundHashes.has(signedWith));
  return weak && `${nameOf(weak)} is signed with ${weak.signedWith}: only SHA-2 is taken.`;
}

/** The certificates above the signer's may issue, at their depth. */
export function authorityProblem([, ...authorities]: CertificateChain): string | undefined {
  for (const [depth, certificate] of authorities.entries()) {
    const { basicConstraints, keyUsage } = certificate;
    const name = nameOf(certificate);
    if (basicConstraints?.critical !== true || !basicConstraints.ca) {
      return `${name} is no authority: it needs critical basicConstraints with cA.`;
    }
    const { pathLength = Infinity } = basicConstraints;
    if (pathLength < depth) {
      return `${name} allows ${pathLength} authorities below it, and there are ${depth}.`;
    }
    if (keyUsage?.critical !== true || !has(keyUsage.usages, KeyUsageFlags.keyCertSign)) {
      return `${name} may not issue: it needs critical keyUsage with keyCertSign.`;
    }
  }
  return undefined;
}

/** The signer's certificate is for signing code, and for nothing that would let others use its key. */
export function leafProblem([leaf]: CertificateChain): string | undefined {
  const { basicConstraints, keyUsage, extendedKeyUsage = [] } = leaf;
  const name = `The signing certificate ${nameOf(leaf)}`;
  if (basicConstraints?.ca === true) return `${name} is one of an authority.`;
  if (keyUsage?.critical !== true || !has(keyUsage.usages, KeyUsageFlags.digitalSignature)) {
    return `${name} needs critical keyUsage with digitalSignature.`;
  }
  const usages = Object.entries(forbiddenUsages).filter(([, flag]) => has(keyUsage.usages, flag));
  if (usages.length > 0) return `${name} has the key usage ${usages.map(([usage]) => usage).join(', ')}.`;
  const purposes = extendedKeyUsage.flatMap((oid) => forbiddenPurposes[oid] ?? []);
  return purposes.length > 0 ? `${name} is for ${purposes.join(', ')}.` : undefined;
}

/** Its key is of a kind and size that has an algorithm. */
export function keyProblem([leaf]: CertificateChain): string | undefined {
  return algorithmOfKey(leaf.key) === undefined
    ? `The key of ${nameOf(leaf)} may not sign: use ${signingKeys}.`
    : undefined;
}

/** The subject for a message. */
export const nameOf = ({ subject }: NotationCertificate): string => {
  const text = formatDistinguishedName(subject);
  return text === '' ? '(without a subject)' : excerpt(text);
};

const has = (usages: number, flag: number): boolean => (usages & flag) !== 0;
