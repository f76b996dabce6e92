import { createHash } from 'node:crypto';
import { RefwardenError } from '../../failures/failure.ts';
import { parseCertificate } from '../x509/certificate.ts';
import type { Certificate } from '../x509/certificate.ts';
import { walkToRoot } from '../x509/certificate-walk.ts';
import { sameBytes } from '../x509/der.ts';
import {
  basicConstraints,
  extensionOid,
  keyUsage,
  keyUsageBit,
  purposeOid,
  purposes,
} from '../x509/extensions.ts';
import { readDer } from '../x509/read-der.ts';
import { isSignedBy } from '../x509/signed-by.ts';
import { readSignedToken } from './signed-token.ts';
import type { SignedToken } from './signed-token.ts';
import { readTimestampInfo } from './timestamp-info.ts';
import type { TimestampInfo } from './timestamp-info.ts';

/** Largest token, bytes: one with its whole chain takes some 6 KiB. */
const maxTokenBytes = 64 * 1024;
const maxRoots = 1_000;

export interface TimestampTokenInput {
  /** DER ContentInfo with SignedData over TSTInfo (RFC 3161, 2.4.2): what a TimeStampResp holds, not the response. */
  readonly token: Uint8Array;
  /** What was timestamped, itself: its hash is computed here. */
  readonly message: Uint8Array;
  /** DER certificates of the timestamp authorities' roots that are trusted. */
  readonly roots: readonly Uint8Array[];
}

export interface VerifiedTimestamp {
  /** Milliseconds since the epoch. */
  readonly genTimeMs: number;
  /** The token was made within so much of {@link genTimeMs}, earlier or later, milliseconds. */
  readonly accuracyMs: number;
  /** Distinguished name of the timestamp authority, for people. */
  readonly signerSubject: string;
  /** DER certificates from the authority's to the root, for revocation. */
  readonly chain: readonly Uint8Array[];
}

/**
 * Verifies a timestamp token (RFC 3161, RFC 5816) up to a trusted root. Every certificate must be valid at the time that
 * the token states. That time may lie in the future of the caller, and revocation is the
 * caller's to check.
 * @throws RefwardenError `PayloadInvalid` for a token that does not parse or is not over the message,
 *   `CertificateInvalid` for its certificates, `TrustedTimeMissing` when its signature does not verify.
 */
export function verifyTimestampToken({ token, message, roots }: TimestampTokenInput): VerifiedTimestamp {
  if (token.length > maxTokenBytes) {
    throw new RefwardenError('PayloadInvalid', `The timestamp is larger than ${maxTokenBytes} bytes.`);
  }
  if (roots.length > maxRoots) {
    throw new RefwardenError('TrustMaterialInvalid', `More than ${maxRoots} timestamp roots are trusted.`);
  }
  const signed = readDer('PayloadInvalid', 'The timestamp', () => readSignedToken(token));
  const info = readDer('PayloadInvalid', 'The timestamp', () => readTimestampInfo(signed.content));
  checkImprint(info, message);
  const pool = signed.certificates.map((der) => parseCertificate(der, 'A certificate of the timestamp'));
  const leaf = findSigner(signed, pool);
  checkSignature(signed, leaf);
  const chain = readDer('CertificateInvalid', 'A certificate of the timestamp', () => {
    checkPurpose(leaf);
    return walkToRoot(leaf, {
      pool,
      roots: roots.map((der) => parseCertificate(der, 'A trusted timestamp root')),
      atMs: info.genTimeMs,
      purpose: purposeOid.timeStamping,
      what: 'timestamp authority',
    });
  });
  return {
    genTimeMs: info.genTimeMs,
    accuracyMs: info.accuracyMs,
    signerSubject: leaf.subjectText,
    chain: chain.map(({ der }) => der),
  };
}

function checkImprint({ hash, hashedMessage }: TimestampInfo, message: Uint8Array): void {
  if (hash === undefined) {
    throw new RefwardenError(
      'PayloadInvalid',
      'The timestamp is over a hash other than SHA-256, SHA-384 and SHA-512.',
    );
  }
  if (!sameBytes(createHash(hash).update(message).digest(), hashedMessage)) {
    throw new RefwardenError('PayloadInvalid', 'The timestamp is over something else than this signature.');
  }
}

/** By the hash in the signed attributes, which nobody can alter; the name beside them must be the same one's. */
function findSigner({ signingCertificate, signer }: SignedToken, pool: readonly Certificate[]): Certificate {
  const { hash, digest } = signingCertificate;
  const leaf =
    hash === undefined
      ? undefined
      : pool.find(({ der }) => sameBytes(createHash(hash).update(der).digest(), digest));
  if (leaf === undefined) {
    throw new RefwardenError(
      'CertificateInvalid',
      'The timestamp does not hold the certificate that its signingCertificateV2 names by its hash.',
    );
  }
  if (
    signer !== undefined &&
    !(sameBytes(signer.issuer, leaf.issuer) && sameBytes(signer.serial, leaf.serial))
  ) {
    throw new RefwardenError(
      'CertificateInvalid',
      'The timestamp names two different certificates as that of its signer.',
    );
  }
  return leaf;
}

function checkSignature(signed: SignedToken, { key }: Certificate): void {
  const { digestAlgorithm, content, messageDigest, signedBytes, signature, signatureAlgorithm } = signed;
  if (digestAlgorithm === undefined || signatureAlgorithm === undefined) {
    throw new RefwardenError(
      'TrustedTimeMissing',
      'The timestamp is signed by an algorithm that is not supported.',
    );
  }
  // What names a key only (rsaEncryption) hashes as the content is hashed.
  const algorithm = {
    ...signatureAlgorithm,
    hash: signatureAlgorithm.hash === undefined ? digestAlgorithm : signatureAlgorithm.hash,
  };
  const isContent = sameBytes(createHash(digestAlgorithm).update(content).digest(), messageDigest);
  if (!isContent || !isSignedBy(signedBytes, key, signature, algorithm)) {
    throw new RefwardenError('TrustedTimeMissing', 'The signature of the timestamp does not verify.');
  }
}

/**
 * That a certificate may sign timestamps and nothing else: RFC 3161, 2.3, and the certificate requirements of the Notary
 * Project's signature-specification.md.
 * @throws RefwardenError `CertificateInvalid`, and DerFault.
 */
export function checkPurpose({ extensions, subjectText }: Certificate): void {
  const refuse = (why: string): never => {
    throw new RefwardenError(
      'CertificateInvalid',
      `The certificate ${subjectText} that signed the timestamp ${why}.`,
    );
  };
  const list = purposes(extensions);
  if (list?.length !== 1 || list[0] !== purposeOid.timeStamping) {
    refuse('is not for timestamps and nothing else (extendedKeyUsage)');
  }
  if (extensions.get(extensionOid.extendedKeyUsage)?.isCritical !== true) {
    refuse('does not mark its purpose as critical (extendedKeyUsage)');
  }
  if (basicConstraints(extensions)?.isCa === true) refuse('is that of a certificate authority');
  const bits = keyUsage(extensions);
  const allowed: readonly number[] = [keyUsageBit.digitalSignature, keyUsageBit.contentCommitment];
  if (bits?.has(keyUsageBit.digitalSignature) !== true || ![...bits].every((bit) => allowed.includes(bit))) {
    refuse('is not for digital signatures only (keyUsage)');
  }
}
