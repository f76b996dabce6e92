import { createHash, timingSafeEqual } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { TransparencyLogEntry } from '@sigstore/bundle';
import type { SignedEntity as LibraryEntity } from '@sigstore/verify';
import { RefwardenError } from '../../failures/failure.ts';
import { verifySha256 } from '../prehashed-signatures.ts';
import { verifyBytes } from '../signature-schemes.ts';

/** Most log entries, and most timestamps, that one signature may bring; real ones bring one or two. */
const maxMaterialCount = 8;
const maxSignatureBytes = 16 * 1024;
/** Largest log entry or timestamp, in bytes. */
const maxMaterialBytes = 512 * 1024;
/** A token with its whole chain takes some 6 KiB; parsing hostile ASN.1 costs far more than its bytes. */
const maxTimestampBytes = 16 * 1024;

/** One signature with what it covers and its verification material, whatever form carried it. All of it is a claim. */
export interface SignedEntity {
  readonly signature: Buffer;
  /** The very bytes that the signature is made over. */
  readonly signedBytes: Uint8Array;
  /** What a `dsse` or `intoto` log entry records: the payload within {@link signedBytes}. */
  readonly payload: Uint8Array;
  /** SHA-256 of what is signed, where nobody has the bytes: {@link signedBytes} and {@link payload} are then empty. */
  readonly prehashed?: Buffer;
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
export function checkBounds({ signature, logEntries, timestamps }: SignedEntity): void {
  const material = [...logEntries.map((entry) => entry.canonicalizedBody), ...timestamps];
  if (signature.length === 0 || signature.length > maxSignatureBytes) {
    throw new RefwardenError(
      'PayloadInvalid',
      `The signature is empty or larger than ${maxSignatureBytes} bytes.`,
    );
  }
  if (logEntries.length > maxMaterialCount || timestamps.length > maxMaterialCount) {
    throw new RefwardenError(
      'PayloadInvalid',
      `The signature brings more than ${maxMaterialCount} log entries or timestamps.`,
    );
  }
  if (timestamps.some((bytes) => bytes.length > maxTimestampBytes)) {
    throw new RefwardenError('PayloadInvalid', `A timestamp is larger than ${maxTimestampBytes} bytes.`);
  }
  if (material.some((bytes) => bytes.length > maxMaterialBytes)) {
    throw new RefwardenError(
      'PayloadInvalid',
      `A log entry or timestamp is larger than ${maxMaterialBytes} bytes.`,
    );
  }
}

/** Whether the key made the signature. */
export function isSignedBy({ signedBytes, prehashed, signature }: SignedEntity, key: KeyObject): boolean {
  return prehashed === undefined
    ? verifyBytes(signedBytes, key, signature)
    : verifySha256(prehashed, key, signature);
}

const hashByLength: Readonly<Record<number, string>> = { 32: 'sha256', 48: 'sha384', 64: 'sha512' };

/**
 * The entity as the library's content. Its own takes SHA-256 for every key and believes the bundle's message digest;
 * here every digest is computed from the bytes, by the algorithm that its length names.
 */
export function signatureContent(entity: SignedEntity): LibraryEntity['signature'] {
  const { prehashed } = entity;
  const isDigestOf = (digest: Buffer, bytes: Uint8Array): boolean => {
    if (prehashed !== undefined) return digest.equals(prehashed);
    const algorithm = hashByLength[digest.length];
    return algorithm !== undefined && timingSafeEqual(digest, createHash(algorithm).update(bytes).digest());
  };
  return {
    signature: entity.timestampedBytes,
    compareSignature: (signature) => signature.equals(entity.signature),
    compareDigest: (digest) => isDigestOf(digest, entity.payload),
    compareSignedDigest: (digest) => isDigestOf(digest, entity.signedBytes),
    verifySignature: (key) => isSignedBy(entity, key),
  };
}
