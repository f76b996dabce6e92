import { isIssuedBy } from '../x509/certificate.ts';
import { keyUsageBit, purposeOid } from '../x509/extensions.ts';
import type { NotationCertificate } from './notation-certificate.ts';
import { algorithmOfKey, signingKeys } from './signature-algorithms.ts';

/** From the signer's certificate to its root. */
export type CertificateChain = readonly [NotationCertificate, ...NotationCertificate[]];

/** Bits that a signer's certificate must not have (RFC 5280, 4.2.1.3); contentCommitment may stand beside digitalSignature. */
const forbiddenUsages: Readonly<Record<number, string>> = {
  2: 'keyEncipherment',
  3: 'dataEncipherment',
  4: 'keyAgreement',
  [keyUsageBit.keyCertSign]: 'keyCertSign',
  [keyUsageBit.cRLSign]: 'cRLSign',
  7: 'encipherOnly',
  8: 'decipherOnly',
};

/** Purposes that a signer's certificate must not have. */
const forbiddenPurposes: Readonly<Record<string, string>> = {
  [purposeOid.any]: 'anyExtendedKeyUsage',
  '1.3.6.1.5.5.7.3.1': 'serverAuth',
  '1.3.6.1.5.5.7.3.2': 'clientAuth',
  '1.3.6.1.5.5.7.3.4': 'emailProtection',
  [purposeOid.timeStamping]: 'timeStamping',
  [purposeOid.ocspSigning]: 'OCSPSigning',
};

// The rules of signature-specification.md "Certificate Requirements". Each says what is wrong, or nothing.

/** Each certificate is issued by the next, the last by itself, and no other by itself. */
export function orderProblem(chain: CertificateChain): string | undefined {
  const root = chain.length - 1;
  for (const [index, certificate] of chain.entries()) {
    const isRoot = index === root;
    if (isIssuedBy(certificate, certificate) !== isRoot) {
      return isRoot
        ? `The chain does not end in a self-signed certificate: ${nameOf(certificate)} is not.`
        : `The chain goes on behind ${nameOf(certificate)}, which is self-signed.`;
    }
    const above = chain[index + 1];
    if (above !== undefined && !isIssuedBy(certificate, above)) {
      return `${nameOf(certificate)} is not issued by the next certificate, ${nameOf(above)}.`;
    }
  }
  return undefined;
}

/** SHA-2 throughout: an algorithm with another hash is not known here. */
export function hashProblem(chain: CertificateChain): string | undefined {
  const weak = chain.find(({ frame: { algorithm } }) => algorithm?.hash === undefined);
  return (
    weak && `${nameOf(weak)} is signed by an algorithm that is not taken: use SHA-256, SHA-384 or SHA-512.`
  );
}

/** The certificates above the signer's may issue, at their depth. */
export function authorityProblem([, ...authorities]: CertificateChain): string | undefined {
  for (const [depth, certificate] of authorities.entries()) {
    const { basicConstraints, keyUsage } = certificate;
    const name = nameOf(certificate);
    if (basicConstraints?.isCritical !== true || !basicConstraints.isCa) {
      return `${name} is no authority: it needs critical basicConstraints with cA.`;
    }
    const { maxPathLength = Infinity } = basicConstraints;
    if (maxPathLength < depth) {
      return `${name} allows ${maxPathLength} authorities below it, and there are ${depth}.`;
    }
    if (keyUsage?.isCritical !== true || !keyUsage.bits.has(keyUsageBit.keyCertSign)) {
      return `${name} may not issue: it needs critical keyUsage with keyCertSign.`;
    }
  }
  return undefined;
}

/** The signer's certificate is for signing code, and for nothing that would let others use its key. */
export function leafProblem([leaf]: CertificateChain): string | undefined {
  const { basicConstraints, keyUsage, purposes = [] } = leaf;
  const name = `The signing certificate ${nameOf(leaf)}`;
  if (basicConstraints?.isCa === true) return `${name} is one of an authority.`;
  if (keyUsage?.isCritical !== true || !keyUsage.bits.has(keyUsageBit.digitalSignature)) {
    return `${name} needs critical keyUsage with digitalSignature.`;
  }
  const usages = [...keyUsage.bits].flatMap((bit) => forbiddenUsages[bit] ?? []);
  if (usages.length > 0) return `${name} has the key usage ${usages.join(', ')}.`;
  const forbidden = purposes.flatMap((oid) => forbiddenPurposes[oid] ?? []);
  return forbidden.length > 0 ? `${name} is for ${forbidden.join(', ')}.` : undefined;
}

/** Its key is of a kind and size that has an algorithm. */
export function keyProblem([leaf]: CertificateChain): string | undefined {
  return algorithmOfKey(leaf.key) === undefined
    ? `The key of ${nameOf(leaf)} may not sign: use ${signingKeys}.`
    : undefined;
}

/** The subject for a message. */
export const nameOf = ({ subjectText }: NotationCertificate): string =>
  subjectText === '' ? '(without a subject)' : subjectText;
