import type { Digest } from '../image/digest.ts';
import { isRunnableChild } from '../oci/manifest.ts';
import type { Index } from '../oci/manifest.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { isIndexType, isManifestType } from '../oci/media-types.ts';

/**
 * As what an index, itself verified by hash, contains the child; undefined when not as something that runs. Every entry
 * for the child must be runnable and agree with the others, so that no reading of the index is another. The size is not
 * held against the child itself: the digest binds it whatever it says, and the answer must not depend on whether its
 * manifest happens to be at hand.
 */
export function containedAs(index: Index, child: Digest): 'manifest' | 'index' | undefined {
  const entries = index.manifests.filter(({ digest }) => digest === child);
  const [first] = entries;
  if (first === undefined) return undefined;
  const agree = entries.every(
    (entry) => isRunnableChild(entry) && entry.size === first.size && entry.mediaType === first.mediaType,
  );
  if (!agree) return undefined;
  if (isManifestType(first.mediaType)) return 'manifest';
  return isIndexType(first.mediaType) ? 'index' : undefined;
}

/** The entries of an index that hold attestations of the child (BuildKit, "attestation-storage.md"). */
export function attestationEntries(index: Index, child: Digest): Descriptor[] {
  return index.manifests.filter(
    ({ annotations, mediaType }) =>
      annotations['vnd.docker.reference.type'] === 'attestation-manifest' &&
      annotations['vnd.docker.reference.digest'] === child &&
      isManifestType(mediaType),
  );
}
