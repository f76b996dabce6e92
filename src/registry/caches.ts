import type { TagList } from '../admission/content-store.ts';
import { MeteredCache } from '../admission/metered-cache.ts';
import type { ResolvedImage } from '../admission/ports.ts';
import type { Digest } from '../image/digest.ts';
import type { Repository } from '../image/reference.ts';
import type { ListingAnswer } from '../oci/listing.ts';
import type { ManifestContent } from '../oci/manifest-content.ts';
import type { RegistryLimits } from './limits.ts';

/** What a tag of an artifact held; no digest when the registry had no such tag. */
export interface TagState {
  readonly digest?: Digest;
  readonly askedAtMs: number;
}

/**
 * What is remembered. By digest: immutable, bounded in bytes. All else has a time of asking, and the reader decides
 * whether that is too long ago. Failures are never kept.
 */
export interface RegistryCaches {
  readonly manifests: MeteredCache<ManifestContent>;
  readonly blobs: MeteredCache<Uint8Array>;
  readonly images: MeteredCache<{ readonly image: ResolvedImage; readonly askedAtMs: number }>;
  readonly tags: MeteredCache<TagState>;
  readonly listings: MeteredCache<ListingAnswer>;
  readonly tagLists: MeteredCache<TagList>;
  /** When a host, or a repository of it, was last asked for an API that it lacked. */
  readonly absentApis: MeteredCache<number>;
  /** Hosts that were seen to have an API: then one repository's "no such API" says nothing of the others. */
  readonly presentApis: MeteredCache<true>;
}

/** What a cached entry costs in memory beside its content, and one entry of a listing without inlined data at most, bytes. */
const entryOverheadBytes = 512;
const listedArtifactBytes = 1_024;
const tagOverheadBytes = 32;

export function createCaches(limits: RegistryLimits): RegistryCaches {
  const maxEntries = limits.maxRemembered;
  return {
    manifests: new MeteredCache('manifests', {
      maxBytes: limits.manifestCacheBytes,
      sizeOf: (content) => entryOverheadBytes + content.memoryBytes,
    }),
    blobs: new MeteredCache('blobs', {
      maxBytes: limits.blobCacheBytes,
      sizeOf: (bytes) => entryOverheadBytes + bytes.byteLength,
    }),
    images: new MeteredCache('images', { maxEntries }),
    tags: new MeteredCache('tags', { maxEntries }),
    listings: new MeteredCache('listings', {
      maxBytes: limits.listingCacheBytes,
      sizeOf: (answer) =>
        entryOverheadBytes +
        (answer.kind === 'listing'
          ? (answer.entries.length + answer.malformed.length) * listedArtifactBytes +
            answer.entries.reduce((sum, { data = '' }) => sum + data.length, 0)
          : 0),
    }),
    tagLists: new MeteredCache('tag_lists', {
      maxBytes: limits.listingCacheBytes,
      sizeOf: ({ tags }) =>
        entryOverheadBytes + tags.reduce((sum, { length }) => sum + tagOverheadBytes + length, 0),
    }),
    absentApis: new MeteredCache('absent_apis', { maxEntries }),
    presentApis: new MeteredCache('present_apis', { maxEntries }),
  };
}

/**
 * Credentials are part of every key: what one may fetch is not served to another that may not (threat 27).
 * @param scope of the credentials that were sent for it.
 */
export function cacheKey({ registry, repository }: Repository, name: string, scope: string): string {
  return `${registry}/${repository}\n${name}\n${scope}`;
}
