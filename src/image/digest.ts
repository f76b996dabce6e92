import { createHash } from 'node:crypto';
import { RefwardenError } from '../failures/failure.ts';

declare const digestBrand: unique symbol;
/** `<algorithm>:<lower-case hex>`, of a supported algorithm (OCI image-spec, descriptor.md "Digests"). */
export type Digest = string & { readonly [digestBrand]: true };

const hexLength = { sha256: 64, sha512: 128 } as const;
export type DigestAlgorithm = keyof typeof hexLength;

const isSupported = (algorithm: string): algorithm is DigestAlgorithm => Object.hasOwn(hexLength, algorithm);

/** @throws RefwardenError `DigestUnsupported` for another algorithm or a malformed digest. */
export function parseDigest(text: string): Digest {
  const colon = text.indexOf(':');
  const algorithm = text.slice(0, Math.max(colon, 0));
  const shown = text.length > 140 ? `${text.slice(0, 140)}...` : text;
  if (!isSupported(algorithm)) {
    throw new RefwardenError('DigestUnsupported', `Digest ${JSON.stringify(shown)} is not sha256 or sha512.`);
  }
  const hex = text.slice(colon + 1);
  if (hex.length !== hexLength[algorithm] || !/^[0-9a-f]+$/.test(hex)) {
    throw new RefwardenError(
      'DigestUnsupported',
      `Digest ${JSON.stringify(shown)} is malformed: ${algorithm} takes ${hexLength[algorithm]} lower-case hexadecimal digits.`,
    );
  }
  return text as Digest;
}

export function digestAlgorithm(digest: Digest): DigestAlgorithm {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256';
}

export function digestHex(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

export function computeDigest(bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}` as Digest;
}

/** Whether the bytes hash to the digest; recomputed, never believed. */
export function matchesDigest(bytes: Uint8Array, digest: Digest): boolean {
  return computeDigest(bytes, digestAlgorithm(digest)) === digest;
}

/** `sha256:ab12cd34`: short form for people, never for identity. */
export function shortDigest(digest: Digest): string {
  return `${digestAlgorithm(digest)}:${digestHex(digest).slice(0, 8)}`;
}
