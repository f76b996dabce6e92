import { RefwardenError } from '../failures/failure.ts';
import { matchesDigestInTurns } from '../image/bytes-in-turns.ts';
import { shortDigest } from '../image/digest.ts';
import type { Digest } from '../image/digest.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { inlinedContent } from '../oci/inlined-content.ts';
import { ManifestContent } from '../oci/manifest-content.ts';
import { fileTooLarge } from './layout-fault.ts';
import type { LayoutFiles } from './layout-files.ts';
import type { LayoutLimits } from './limits.ts';

/** The blobs of a layout, each bounded, and hashed whenever it is read. */
export class LayoutContent {
  readonly #files: LayoutFiles;
  readonly #limits: LayoutLimits;

  constructor(files: LayoutFiles, limits: LayoutLimits) {
    this.#files = files;
    this.#limits = limits;
  }

  /**
   * Undefined when the layout does not have it.
   * @param mediaType of the descriptor that names it: it must agree with what the document says.
   * @throws RefwardenError `ArtifactTooLarge`, `DigestMismatch`, `LayoutUnreadable`.
   */
  async manifest(digest: Digest, mediaType?: string): Promise<ManifestContent | undefined> {
    const bytes = await this.#read(digest, this.#limits.maxManifestBytes);
    return bytes === undefined ? undefined : new ManifestContent(digest, bytes, mediaType);
  }

  /** @throws RefwardenError `ArtifactTooLarge`, `ArtifactMissing`, `SizeMismatch`, `DigestMismatch`, `LayoutUnreadable`. */
  async blob(blob: Descriptor): Promise<Uint8Array> {
    const { digest, size } = blob;
    const { maxLayerBytes } = this.#limits;
    if (size > maxLayerBytes) throw fileTooLarge(this.#files.path, digest, maxLayerBytes);
    const bytes = inlinedContent(blob) ?? (await this.#read(digest, maxLayerBytes));
    const what = `${this.#files.path}: blob ${shortDigest(digest)}`;
    if (bytes === undefined) throw new RefwardenError('ArtifactMissing', `${what} is not there.`);
    if (bytes.byteLength === size) return bytes;
    throw new RefwardenError('SizeMismatch', `${what} has not the ${size} bytes that its descriptor states.`);
  }

  async #read(digest: Digest, maxBytes: number): Promise<Uint8Array | undefined> {
    const bytes = await this.#files.read(digest, maxBytes);
    if (bytes === undefined || (await matchesDigestInTurns(bytes, digest))) return bytes;
    const what = `${this.#files.path}: blob ${shortDigest(digest)}`;
    throw new RefwardenError('DigestMismatch', `${what} does not hash to its name.`);
  }
}
