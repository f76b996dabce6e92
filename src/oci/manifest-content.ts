import type { Digest } from '../image/digest.ts';
import { shortDigest } from '../image/digest.ts';
import { parseDocument } from './manifest.ts';
import type { Document } from './manifest.ts';

/** What a manifest costs in memory for each byte of it: the text and what is parsed from it. */
const memoryPerByte = 4;

/** Bytes of a manifest or index that hash to the digest, parsed at most once. */
export class ManifestContent {
  readonly digest: Digest;
  readonly bytes: Uint8Array;
  readonly contentType: string | undefined;
  #outcome: { readonly document: Document } | { readonly thrown: unknown } | undefined;

  /** @param bytes already verified against the digest. */
  constructor(digest: Digest, bytes: Uint8Array, contentType: string | undefined) {
    this.digest = digest;
    this.bytes = bytes;
    this.contentType = contentType;
  }

  /** @throws RefwardenError as {@link parseDocument} does, each time alike. */
  document(): Document {
    this.#outcome ??= this.#parse();
    if ('thrown' in this.#outcome) throw this.#outcome.thrown;
    return this.#outcome.document;
  }

  /** For the bound of a cache. */
  get memoryBytes(): number {
    return this.bytes.byteLength * memoryPerByte;
  }

  #parse(): { document: Document } | { thrown: unknown } {
    try {
      const name = `Manifest ${shortDigest(this.digest)}`;
      return { document: parseDocument(this.bytes, this.contentType, name) };
    } catch (thrown) {
      return { thrown };
    }
  }
}
