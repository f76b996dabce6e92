import type { DiscoveryLimits } from '../admission/content-store.ts';

const kiB = 1024;
const miB = 1024 * kiB;
const giB = 1024 * miB;
const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

/** Every bound on what a registry may cost. The settings file sets each (`limits`, docs/registries.md). */
export interface RegistryLimits extends DiscoveryLimits {
  /** Largest manifest or index, bytes (distribution-spec asks registries for 4 MiB at least). */
  readonly maxManifestBytes: number;
  /** Largest layer of an artifact, bytes; what a form of signature allows below it is its own. Layers of images are never fetched. */
  readonly maxLayerBytes: number;
  /** Largest listing, bytes, over all of its pages. */
  readonly maxListingBytes: number;
  /** Largest answer of a token service, bytes. */
  readonly maxTokenBytes: number;
  /** How much of an error answer is read, bytes; only its error codes are used. */
  readonly maxErrorBytes: number;
  /** Largest header block of an answer, bytes. */
  readonly maxHeaderBytes: number;
  /** Redirects followed for one request. */
  readonly maxRedirects: number;
  /** Pages read of one listing. */
  readonly maxListingPages: number;
  /** Further attempts after the first. */
  readonly maxRetries: number;
  /** Longest wait before a further attempt, milliseconds; a longer Retry-After is a failure at once. */
  readonly maxRetryDelayMs: number;
  /** Wait before the first further attempt, milliseconds; it doubles, and half of it is random. */
  readonly retryDelayMs: number;
  readonly connectTimeoutMs: number;
  /** One attempt of one request, its body included, milliseconds. */
  readonly requestTimeoutMs: number;
  /** Shared work with all its requests and attempts, milliseconds; it runs on when its callers have left. */
  readonly operationTimeoutMs: number;
  /** Requests under way, and connections open, to one host. */
  readonly maxConcurrentPerHost: number;
  /** Requests waiting for one host. */
  readonly maxQueuedPerHost: number;
  /** Requests a minute to one host, and as many at once: of one tenant, at most half of the host's. */
  readonly requestsPerMinutePerTenant: number;
  /** Requests a minute to one host, and as many at once: of all tenants. */
  readonly requestsPerMinutePerHost: number;
  /** Different pieces of shared work under way, of each kind; a tenant alone may have half. */
  readonly maxSharedOperations: number;
  readonly manifestCacheBytes: number;
  readonly blobCacheBytes: number;
  readonly listingCacheBytes: number;
  /** Content kept in the cache directory, where there is one, bytes. */
  readonly cacheDirMaxBytes: number;
  /** How long a tag's digest is believed, milliseconds. */
  readonly tagTtlMs: number;
  /** How long a listing, or an artifact's tag, is believed, milliseconds. */
  readonly listingTtlMs: number;
  /** How long "no such API" is believed, milliseconds. */
  readonly absentApiTtlMs: number;
}

export const defaultRegistryLimits: RegistryLimits = {
  maxManifestBytes: 4 * miB,
  maxLayerBytes: 32 * miB,
  maxListingBytes: 4 * miB,
  maxTokenBytes: 64 * kiB,
  maxErrorBytes: 16 * kiB,
  maxHeaderBytes: 32 * kiB,
  maxRedirects: 4,
  maxListingPages: 40,
  maxReferrers: 2_000,
  maxReferrerFetches: 64,
  maxParallelFetches: 32,
  maxParentIndexes: 16,
  maxScannedTags: 32,
  maxRetries: 2,
  maxRetryDelayMs: 3_000,
  retryDelayMs: 150,
  connectTimeoutMs: 3_000,
  requestTimeoutMs: 6_000,
  operationTimeoutMs: 15_000,
  maxConcurrentPerHost: 24,
  maxQueuedPerHost: 1_000,
  requestsPerMinutePerTenant: 600,
  requestsPerMinutePerHost: 3_000,
  maxSharedOperations: 4_000,
  manifestCacheBytes: 64 * miB,
  blobCacheBytes: 64 * miB,
  listingCacheBytes: 16 * miB,
  cacheDirMaxBytes: giB,
  maxRemembered: 10_000,
  tagTtlMs: 2_000,
  listingTtlMs: 60_000,
  absentApiTtlMs: 10 * 60_000,
};

/** The most that a settings file may ask for: above it a limit would bound nothing. */
export const highestRegistryLimits: RegistryLimits = {
  maxManifestBytes: 64 * miB,
  maxLayerBytes: 256 * miB,
  maxListingBytes: 64 * miB,
  maxTokenBytes: miB,
  maxErrorBytes: miB,
  maxHeaderBytes: miB,
  maxRedirects: 20,
  maxListingPages: 1_000,
  maxReferrers: 100_000,
  maxReferrerFetches: 10_000,
  maxParallelFetches: 64,
  maxParentIndexes: 1_000,
  maxScannedTags: 10_000,
  maxRetries: 10,
  maxRetryDelayMs: minute,
  retryDelayMs: 10 * second,
  connectTimeoutMs: minute,
  requestTimeoutMs: 5 * minute,
  operationTimeoutMs: 10 * minute,
  maxConcurrentPerHost: 1_000,
  maxQueuedPerHost: 100_000,
  requestsPerMinutePerTenant: 1_000_000,
  requestsPerMinutePerHost: 1_000_000,
  maxSharedOperations: 100_000,
  manifestCacheBytes: 4 * giB,
  blobCacheBytes: 4 * giB,
  listingCacheBytes: 4 * giB,
  cacheDirMaxBytes: 64 * giB,
  maxRemembered: 1_000_000,
  tagTtlMs: minute,
  listingTtlMs: hour,
  absentApiTtlMs: 24 * hour,
};
