import { RefwardenError } from '../failures/failure.ts';
import { matchesDigest, shortDigest } from '../image/digest.ts';
import type { Digest } from '../image/digest.ts';

/**
 * The content that a descriptor carries itself in `data` (image-spec descriptor.md): it saves the fetch, and proves
 * nothing that the digest does not.
 * @returns undefined when there is none.
 * @throws RefwardenError `SizeMismatch`, `DigestMismatch`: two readers of such a descriptor would read two contents.
 */
export function inlinedContent(descriptor: {
  readonly digest: Digest;
  readonly size?: number;
  readonly data?: string;
}): Uint8Array | undefined {
  const { digest, size, data } = descriptor;
  if (data === undefined) return undefined;
  const bytes = Buffer.from(data, 'base64');
  if (size !== undefined && bytes.byteLength !== size) {
    throw new RefwardenError(
      'SizeMismatch',
      `The data inlined for ${shortDigest(digest)} has not the ${size} bytes that its descriptor states.`,
    );
  }
  if (!matchesDigest(bytes, digest)) {
    throw new RefwardenError(
      'DigestMismatch',
      `The data inlined for ${shortDigest(digest)} does not hash to its digest.`,
    );
  }
  return bytes;
}
