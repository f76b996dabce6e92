import type { Repository } from '../image/reference.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { ListedArtifact, ListingAnswer } from '../oci/listing.ts';
import type { ManifestContent } from '../oci/manifest-content.ts';
import type { Mechanism } from '../policy/evidence.ts';
import type { CacheCounts } from './metered-cache.ts';
import type { Clock, RegistryAccess, ResolvedImage, Subject } from './ports.ts';

export interface Tagged extends Repository {
  readonly tag: string;
}

/** What a tag holds now; no content when there is no such tag. */
export interface TaggedManifest {
  readonly content?: ManifestContent;
  readonly askedAtMs: number;
}

/** The tags of a repository, as many as the bounds on listings let through. */
export interface TagList {
  readonly tags: readonly string[];
  /** False when a bound was hit. */
  readonly isWhole: boolean;
  readonly askedAtMs: number;
}

/** APIs that list what refers to a subject. */
export type ListingApiName = 'references' | 'referrers' | 'oras';

/** Bounds on what one discovery looks at. */
export interface DiscoveryLimits {
  /** Entries read of one listing. */
  readonly maxReferrers: number;
  /** Listed manifests fetched for one subject. */
  readonly maxReferrerFetches: number;
  /** Listed manifests fetched at the same time for one subject. */
  readonly maxParallelFetches: number;
  /** Parent indexes handed out for one subject. */
  readonly maxParentIndexes: number;
  /** Tags asked for in search of the indexes of one image, where a registry allows that. */
  readonly maxScannedTags: number;
  /** Tags, tokens, request budgets, remembered traits of hosts and repositories: entries of each. */
  readonly maxRemembered: number;
}

/**
 * Where manifests, blobs and listings come from: registries, or an image layout on disk. Content is verified against
 * its digest. Every method throws RefwardenError only.
 */
export interface ContentStore {
  readonly limits: DiscoveryLimits;
  readonly clock: Clock;
  /** Where artifacts and indexes are looked for. */
  mechanisms(repository: Repository): readonly Mechanism[];
  /** @throws RefwardenError `ImageNotFound` and those of a connection. */
  resolveTag(tagged: Tagged, access: RegistryAccess): Promise<ResolvedImage>;
  /**
   * @param listed the entry that named it: content that is inlined there saves the request.
   * @throws RefwardenError `ImageNotFound`, `DigestMismatch` and those of a connection.
   */
  fetchManifest(subject: Subject, access: RegistryAccess, listed?: ListedArtifact): Promise<ManifestContent>;
  /** What a tag of an artifact holds, remembered as a listing is. */
  fetchTagged(tagged: Tagged, access: RegistryAccess): Promise<TaggedManifest>;
  /** @throws RefwardenError `ArtifactTooLarge`, `ArtifactMissing`, `SizeMismatch`, `DigestMismatch`. */
  fetchBlob(target: Repository, blob: Descriptor, access: RegistryAccess): Promise<Uint8Array>;
  /** What an API lists for a subject, or that there is no such API. */
  list(api: ListingApiName, subject: Subject, access: RegistryAccess): Promise<ListingAnswer>;
  listTags(repository: Repository, access: RegistryAccess): Promise<TagList>;
  caches(): readonly CacheCounts[];
  close(): Promise<void>;
}
