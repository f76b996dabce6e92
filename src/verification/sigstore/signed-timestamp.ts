import { createPublicKey } from 'node:crypto';
import { ASN1Obj, RFC3161Timestamp } from '@sigstore/core';
import type { TrustedRoot } from './trusted-root.ts';

/** A timestamp response (RFC 3161). The library knows no signature algorithm but ECDSA's, and takes RSA's for SHA-256. */
export class SignedTimestamp extends RFC3161Timestamp {
  /** @throws for what is no ASN.1. */
  static override parse(der: Buffer<ArrayBuffer>): SignedTimestamp {
    return new SignedTimestamp(ASN1Obj.parseBuffer(der));
  }

  override get signatureAlgorithm(): string {
    // Undefined for what is not ECDSA, whatever its type says.
    return super.signatureAlgorithm || this.signerDigestAlgorithm;
  }
}

/**
 * The authority of a timestamp, by its key, so that one that is listed twice is one; undefined when the root has none such.
 * Names and serial numbers may agree between authorities, and then only the key tells.
 */
export function authorityOf(
  timestamp: SignedTimestamp,
  timestampedBytes: Buffer,
  { timestampAuthorities }: TrustedRoot,
): string | undefined {
  const keys = timestampAuthorities.flatMap(({ certChain: [leaf] }) =>
    leaf?.serialNumber.equals(timestamp.signerSerialNumber) && leaf.issuer.equals(timestamp.signerIssuer)
      ? [leaf.publicKey]
      : [],
  );
  return keys
    .find((key) => keys.length === 1 || isSignedBy(timestamp, timestampedBytes, key))
    ?.toString('base64');
}

function isSignedBy(timestamp: SignedTimestamp, timestampedBytes: Buffer, spki: Buffer): boolean {
  try {
    timestamp.verify(timestampedBytes, createPublicKey({ key: spki, format: 'der', type: 'spki' }));
    return true;
  } catch {
    return false;
  }
}
