import { LRUCache } from 'lru-cache';
import type { ResolvedImage } from '../admission/ports.ts';
import type { Digest } from '../image/digest.ts';
import type { Repository } from '../image/reference.ts';
import type { RegistryLimits } from './limits.ts';
import type { Listing, NoSuchApi } from './listing.ts';
import type { ManifestContent } from './manifest-content.ts';

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
  readonly manifests: LRUCache<string, ManifestContent>;
  readonly blobs: LRUCache<string, Uint8Array>;
  readonly images: LRUCache<string, { readonly image: ResolvedImage; readonly askedAtMs: number }>;
  readonly tags: LRUCache<string, TagState>;
  readonly listings: LRUCache<string, Listing | NoSuchApi>;
  /** When a host, or a repository of it, was last asked for an API that it lacked. */
  readonly absentApis: LRUCache<string, number>;
  /** Hosts that were seen to have an API: then one repository's "no such API" says nothing of the others. */
  readonly presentApis: LRUCache<string, true>;
}

/** What a cached entry costs in memory beside its content, and one entry of a listing at most, bytes. */
const entryOverheadBytes = 512;
const listedArtifactBytes = 768;

export function createCaches(limits: RegistryLimits): RegistryCaches {
  const max = limits.maxRemembered;
  return {
    manifests: new LRUCache({
      maxSize: limits.manifestCacheBytes,
      sizeCalculation: (content) => entryOverheadBytes + content.memoryBytes,
    }),
    blobs: new LRUCache({
      maxSize: limits.blobCacheBytes,
      sizeCalculation: (bytes) => entryOverheadBytes + bytes.byteLength,
    }),
    images: new LRUCache({ max }),
    tags: new LRUCache({ max }),
    listings: new LRUCache({
      maxSize: limits.listingCacheBytes,
      sizeCalculation: (answer) =>
        entryOverheadBytes +
        (answer.kind === 'listing'
          ? (answer.entries.length + answer.malformed.length) * listedArtifactBytes
          : 0),
    }),
    absentApis: new LRUCache({ max }),
    presentApis: new LRUCache({ max }),
  };
}

/**
 * Credentials are part of every key: what one may fetch is not served to another that may not (threat 27).
 * @param scope of the credentials that were sent for it.
 */
export function cacheKey({ registry, repository }: Repository, name: string, scope: string): string {
  return `${registry}/${repository}\n${name}\n${scope}`;
}
