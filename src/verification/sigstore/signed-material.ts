import { createHash, timingSafeEqual } from 'node:crypto';
import type { TransparencyLogEntry } from '@sigstore/bundle';
import type { SignedEntity } from '@sigstore/verify';
import { RefwardenError } from '../../failures/failure.ts';
import { verifyBytes } from '../signature-schemes.ts';

/** Most log entries and timestamps that one signature may bring; real ones bring one or two. */
const maxVouchers = 8;
const maxSignatureBytes = 16 * 1024;
/** Largest log entry or timestamp, in bytes. */
const maxVoucherBytes = 512 * 1024;

/** One signature with what it covers and what vouches for it, whatever form carried it. All of it is a claim. */
export interface SignedMaterial {
  readonly signature: Buffer;
  /** The very bytes that the signature is made over. */
  readonly signedBytes: Uint8Array;
  /** What a `dsse` or `intoto` log entry records: the payload within {@link signedBytes}. */
  readonly payload: Uint8Array;
  /** What a signed timestamp is made over; the signature itself in all but cosign's legacy attestations. */
  readonly timestampedBytes: Buffer;
  /** DER of the signing certificate. */
  readonly certificate?: Uint8Array;
  /** What the artifact says about the key that made it. */
  readonly keyHint?: string;
  readonly logEntries: readonly TransparencyLogEntry[];
  /** DER TimeStampResp (RFC 3161). */
  readonly timestamps: readonly Buffer<ArrayBuffer>[];
}

/** @throws RefwardenError `PayloadInvalid` for more or larger parts than any real signature has. */
export function checkBounds({ signature, logEntries, timestamps }: SignedMaterial): void {
  const vouchers = [...logEntries.map((entry) => entry.canonicalizedBody), ...timestamps];
  if (signature.length === 0 || signature.length > maxSignatureBytes) {
    throw new RefwardenError(
      'PayloadInvalid',
      `The signature is empty or larger than ${maxSignatureBytes} bytes.`,
    );
  }
  if (logEntries.length > maxVouchers || timestamps.length > maxVouchers) {
    throw new RefwardenError(
      'PayloadInvalid',
      `The signature brings more than ${maxVouchers} log entries or timestamps.`,
    );
  }
  if (vouchers.some((bytes) => bytes.length > maxVoucherBytes)) {
    throw new RefwardenError(
      'PayloadInvalid',
      `A log entry or timestamp is larger than ${maxVoucherBytes} bytes.`,
    );
  }
}

const hashByLength: Readonly<Record<number, string>> = { 32: 'sha256', 48: 'sha384', 64: 'sha512' };

/**
 * The material as the library's content. Its own takes SHA-256 for every key and believes the bundle's message digest;
 * here every digest is computed from the bytes, by the algorithm that its length names.
 */
export function signatureContent(material: SignedMaterial): SignedEntity['signature'] {
  const isDigestOf = (digest: Buffer, bytes: Uint8Array): boolean => {
    const algorithm = hashByLength[digest.length];
    return algorithm !== undefined && timingSafeEqual(digest, createHash(algorithm).update(bytes).digest());
  };
  return {
    signature: material.timestampedBytes,
    compareSignature: (signature) => signature.equals(material.signature),
    compareDigest: (digest) => isDigestOf(digest, material.payload),
    compareSignedDigest: (digest) => isDigestOf(digest, material.signedBytes),
    verifySignature: (key) => verifyBytes(material.signedBytes, key, material.signature),
  };
}
