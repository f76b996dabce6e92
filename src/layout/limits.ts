import type { DiscoveryLimits } from '../admission/content-store.ts';

const kiB = 1024;
const miB = 1024 * kiB;

/** Every bound on what an image layout may cost. */
export interface LayoutLimits extends DiscoveryLimits {
  /** Largest `index.json`, bytes; of `oci-layout` a sliver of that is read. */
  readonly maxIndexBytes: number;
  /** Largest manifest or index, bytes. */
  readonly maxManifestBytes: number;
  /** Largest layer of an artifact, bytes. Layers of images are never read. */
  readonly maxLayerBytes: number;
  /** Manifests and indexes that are read. */
  readonly maxDocuments: number;
  /** All of those together, bytes. */
  readonly maxDocumentsBytes: number;
  /** How many indexes deep, below `index.json`. */
  readonly maxIndexDepth: number;
  /** Files below `blobs/` that are looked at where cosign lists only some of them. */
  readonly maxBlobs: number;
  /** Entries of a tar, whatever they are. */
  readonly maxTarEntries: number;
  /** Largest extended header of a tar entry, bytes. */
  readonly maxTarHeaderBytes: number;
}

export const defaultLayoutLimits: LayoutLimits = {
  maxIndexBytes: 4 * miB,
  maxManifestBytes: 4 * miB,
  maxLayerBytes: 32 * miB,
  maxDocuments: 10_000,
  maxDocumentsBytes: 64 * miB,
  maxIndexDepth: 8,
  maxBlobs: 20_000,
  maxTarEntries: 100_000,
  maxTarHeaderBytes: 64 * kiB,
  maxReferrers: 2_000,
  maxReferrerFetches: 256,
  maxParallelFetches: 32,
  maxParentIndexes: 16,
  maxScannedTags: 32,
  maxRemembered: 10_000,
};
