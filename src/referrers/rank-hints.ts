import { emptyConfig, isIndexType } from '../oci/media-types.ts';
import type { ListedArtifact } from '../registry/listing.ts';

/** Types of artifacts that carry signatures or attestations of forms that are verified here. */
const signedTypes: ReadonlySet<string> = new Set([
  'application/vnd.dsse.envelope.v1+json',
  'application/vnd.in-toto+json',
  'application/vnd.dev.cosign.simplesigning.v1+json',
  'application/vnd.dev.cosign.artifact.sig.v1+json',
  'application/vnd.dev.cosign.artifact.att.v1+json',
]);
const bundleType = 'application/vnd.dev.sigstore.bundle';

/** What registries state when a manifest has no type of its own, or state of it (ACR states nothing). */
const tellingNothing: ReadonlySet<string> = new Set([
  emptyConfig,
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
]);

/** 0 likely, 1 unknown, 2 foreign, 3 an index. */
function rank({ mediaType, artifactType }: ListedArtifact): number {
  if (mediaType !== undefined && isIndexType(mediaType)) return 3;
  if (artifactType === undefined || tellingNothing.has(artifactType)) return 1;
  return signedTypes.has(artifactType) || artifactType.startsWith(bundleType) ? 0 : 2;
}

/**
 * The likely ones first. Hints only order: what they call foreign is looked at last, and before that the list
 * has not been looked through.
 */
export function rankByHints(entries: readonly ListedArtifact[]): ListedArtifact[] {
  return entries.toSorted((a, b) => rank(a) - rank(b));
}

/** Indexes first, for the walk up. */
export function rankIndexesFirst(entries: readonly ListedArtifact[]): ListedArtifact[] {
  return entries.toSorted((a, b) => rank(b) - rank(a));
}
