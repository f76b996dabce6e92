import { digestAlgorithm, digestHex } from '../image/digest.ts';
import type { Digest } from '../image/digest.ts';

/** The files that a layout consists of (image-spec image-layout.md); blobs are named by their digest only. */
export type LayoutFile = 'oci-layout' | 'index.json' | Digest;

/** Where the files of a layout are: in a directory, or in a tar. */
export interface LayoutFiles {
  /** As the user named it, for messages. */
  readonly path: string;
  /**
   * The bytes of a file, unverified; undefined when there is no such file.
   * @throws RefwardenError `ArtifactTooLarge`, or `LayoutUnreadable` for what is no regular file or fails to be read.
   */
  read(file: LayoutFile, maxBytes: number): Promise<Uint8Array | undefined>;
  /** Names of the files below `blobs/` that are digests. @throws RefwardenError `LayoutTooLarge`, `LayoutUnreadable`. */
  blobs(): Promise<readonly Digest[]>;
  close(): Promise<void>;
}

/** Relative to the root of the layout. The only paths that are ever made, and made of nothing but a parsed digest. */
export function layoutPath(file: LayoutFile): string {
  if (file === 'oci-layout' || file === 'index.json') return file;
  return `blobs/${digestAlgorithm(file)}/${digestHex(file)}`;
}
