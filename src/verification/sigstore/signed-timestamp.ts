import { ASN1Obj, RFC3161Timestamp } from '@sigstore/core';

/** A timestamp response (RFC 3161). The library knows no signature algorithm but ECDSA's, and takes RSA's for SHA-256. */
export class SignedTimestamp extends RFC3161Timestamp {
  /** @throws for what is no ASN.1. */
  static override parse(der: Buffer<ArrayBuffer>): SignedTimestamp {
    return new SignedTimestamp(ASN1Obj.parseBuffer(der));
  }

  override get signatureAlgorithm(): string {
    const ecdsa: string | undefined = super.signatureAlgorithm;
    return ecdsa ?? this.signerDigestAlgorithm;
  }
}
