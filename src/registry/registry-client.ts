import { setTimeout as delay } from 'node:timers/promises';
import type {
  ContentStore,
  ListingApiName,
  TagList,
  Tagged,
  TaggedManifest,
} from '../admission/content-store.ts';
import type { CacheCounts } from '../admission/metered-cache.ts';
import type { Clock, RegistryAccess, RequestRecorder, ResolvedImage, Subject } from '../admission/ports.ts';
import { RefwardenError } from '../failures/failure.ts';
import { matchesDigest, shortDigest } from '../image/digest.ts';
import { repositoryName } from '../image/reference.ts';
import type { Repository } from '../image/reference.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { inlinedContent } from '../oci/inlined-content.ts';
import type { ListedArtifact, ListingAnswer } from '../oci/listing.ts';
import { ManifestContent } from '../oci/manifest-content.ts';
import type { Mechanism } from '../policy/evidence.ts';
import { AccountTrials } from './account-trials.ts';
import { cacheKey, createCaches } from './caches.ts';
import type { RegistryCaches, TagState } from './caches.ts';
import type { DiskCache } from './disk-cache.ts';
import { GuardedAgents } from '../network/guarded-agents.ts';
import type { ResolveHost } from '../network/host-lookups.ts';
import { defaultRegistryLimits } from './limits.ts';
import type { RegistryLimits } from './limits.ts';
import { ListingApi } from './listing-api.ts';
import { listingEndpoints } from './listing-endpoints.ts';
import type { ListingEndpoint } from './listing-endpoints.ts';
import { RegistryApi, sizeMismatch } from './registry-api.ts';
import { RegistryEndpoints } from './registry-endpoints.ts';
import type { RegistrySettings } from './registry-settings.ts';
import { RegistryTransport } from './registry-transport.ts';
import { SingleFlight } from './single-flight.ts';
import type { Caller, SharedWork } from './single-flight.ts';
import { TagsApi } from './tags-api.ts';
import { tenantOf } from './tenant.ts';
import { TokenSource } from './token-source.ts';
import { Wire } from './wire.ts';
import type { Work } from './wire.ts';

export interface RegistryClientOptions {
  readonly registries?: readonly RegistrySettings[];
  readonly limits?: Partial<RegistryLimits>;
  readonly clock?: Clock;
  /** Waits before a further attempt; rejects when the signal aborts. */
  readonly sleep?: (delayMs: number, signal: AbortSignal) => Promise<void>;
  /** From 0 to below 1, for the jitter of retries. */
  readonly random?: () => number;
  readonly resolveHost?: ResolveHost;
  /** Told of every request that was sent. */
  readonly requests?: RequestRecorder;
  /** Keeps content by digest across restarts; closed by whoever opened it. */
  readonly disk?: DiskCache;
}

/**
 * Reads registries with one account each, remembers what may be remembered, and shares equal requests under way.
 * Every method throws RefwardenError only.
 */
class RegistryClient implements ContentStore {
  readonly limits: RegistryLimits;
  readonly clock: Clock;
  readonly #endpoints: RegistryEndpoints;
  readonly #agents: GuardedAgents;
  readonly #api: RegistryApi;
  readonly #listingApi: ListingApi;
  readonly #tagsApi: TagsApi;
  readonly #tokens: TokenSource;
  readonly #caches: RegistryCaches;
  readonly #disk: DiskCache | undefined;
  readonly #images: SingleFlight<ResolvedImage>;
  readonly #manifests: SingleFlight<ManifestContent>;
  readonly #tags: SingleFlight<TaggedManifest>;
  readonly #blobs: SingleFlight<Uint8Array>;
  readonly #listings: SingleFlight<ListingAnswer>;
  readonly #tagLists: SingleFlight<TagList>;

  constructor(options: RegistryClientOptions, endpoints: RegistryEndpoints) {
    this.limits = { ...defaultRegistryLimits, ...options.limits };
    this.clock = options.clock ?? { nowMs: () => Date.now() };
    this.#endpoints = endpoints;
    this.#agents = new GuardedAgents(this.limits, options.resolveHost);
    const wire = new Wire(this.#agents, this.#endpoints, {
      limits: this.limits,
      clock: this.clock,
      sleep: options.sleep ?? sleepUnlessAborted,
      random: options.random ?? Math.random,
      requests: options.requests ?? { record: () => undefined },
    });
    this.#tokens = new TokenSource(wire, this.#endpoints, this.limits, this.clock);
    const transport = new RegistryTransport(wire, this.#tokens, this.#endpoints, this.limits);
    this.#api = new RegistryApi(transport, this.#endpoints, this.limits);
    this.#listingApi = new ListingApi(transport, this.#endpoints, this.limits, this.clock);
    this.#tagsApi = new TagsApi(transport, this.#endpoints, this.limits);
    this.#caches = createCaches(this.limits);
    this.#disk = options.disk;
    const { maxSharedOperations, operationTimeoutMs } = this.limits;
    this.#images = new SingleFlight(maxSharedOperations, operationTimeoutMs);
    this.#manifests = new SingleFlight(maxSharedOperations, operationTimeoutMs);
    this.#tags = new SingleFlight(maxSharedOperations, operationTimeoutMs);
    this.#blobs = new SingleFlight(maxSharedOperations, operationTimeoutMs);
    this.#listings = new SingleFlight(maxSharedOperations, operationTimeoutMs);
    this.#tagLists = new SingleFlight(maxSharedOperations, operationTimeoutMs);
  }

  mechanisms({ registry }: Repository): readonly Mechanism[] {
    return this.#endpoints.mechanisms(registry);
  }

  async resolveTag(tagged: Tagged, access: RegistryAccess): Promise<ResolvedImage> {
    const key = this.#key(tagged, tagged.tag, access);
    const known = this.#caches.images.read(key, (state) =>
      this.#isFresh(state.askedAtMs, this.limits.tagTtlMs, access),
    );
    if (known !== undefined) return known.image;
    return await this.#images.run(key, callerOf(access), async (shared) => {
      const askedAtMs = this.clock.nowMs();
      const { image, content } = await this.#api.resolve(tagged, workOf(access, shared));
      this.#caches.images.set(key, { image, askedAtMs });
      if (content !== undefined) this.#keepManifest(tagged, content, access);
      return image;
    });
  }

  async fetchManifest(
    subject: Subject,
    access: RegistryAccess,
    listed?: ListedArtifact,
  ): Promise<ManifestContent> {
    const known = this.#knownManifest(subject, access);
    if (known !== undefined) return known;
    const inlined = inlinedManifest(subject, listed);
    if (inlined !== undefined) return inlined;
    const key = this.#key(subject, subject.digest, access);
    return await this.#manifests.run(key, callerOf(access), async (shared) => {
      const kept = await this.#disk?.read(manifestFile(key), subject.digest, this.limits.maxManifestBytes);
      if (kept !== undefined) {
        const content = new ManifestContent(subject.digest, kept.bytes, kept.contentType);
        this.#caches.manifests.set(key, content);
        return content;
      }
      const content = await this.#api.manifest(subject, workOf(access, shared));
      this.#keepManifest(subject, content, access);
      return content;
    });
  }

  #knownManifest(subject: Subject, access: RegistryAccess): ManifestContent | undefined {
    return this.#caches.manifests.read(this.#key(subject, subject.digest, access));
  }

  #keepManifest(target: Repository, content: ManifestContent, access: RegistryAccess): void {
    const key = this.#key(target, content.digest, access);
    this.#caches.manifests.set(key, content);
    this.#disk?.write(manifestFile(key), content);
  }

  /** The manifest of an artifact's tag in one request, remembered as a listing is. */
  async fetchTagged(tagged: Tagged, access: RegistryAccess): Promise<TaggedManifest> {
    const key = this.#key(tagged, tagged.tag, access);
    const state = this.#caches.tags.read(key, ({ askedAtMs }) =>
      this.#isFresh(askedAtMs, this.limits.listingTtlMs, access),
    );
    const known = this.#knownTagged(tagged, state, access);
    if (known !== undefined) return known;
    return await this.#tags.run(key, callerOf(access), async (shared) => {
      const askedAtMs = this.clock.nowMs();
      const content = await this.#api.tagged(tagged, workOf(access, shared));
      if (content === undefined) {
        this.#caches.tags.set(key, { askedAtMs });
        return { askedAtMs };
      }
      this.#caches.tags.set(key, { askedAtMs, digest: content.digest });
      this.#keepManifest(tagged, content, access);
      return { askedAtMs, content };
    });
  }

  /** A tag that is remembered counts only as long as its content is at hand too. */
  #knownTagged(
    tagged: Tagged,
    state: TagState | undefined,
    access: RegistryAccess,
  ): TaggedManifest | undefined {
    if (state === undefined) return undefined;
    const { digest, askedAtMs } = state;
    if (digest === undefined) return { askedAtMs };
    const content = this.#knownManifest({ ...tagged, digest }, access);
    return content === undefined ? undefined : { content, askedAtMs };
  }

  async fetchBlob(target: Repository, blob: Descriptor, access: RegistryAccess): Promise<Uint8Array> {
    const what = `${repositoryName(target)}: blob ${shortDigest(blob.digest)}`;
    const { maxLayerBytes } = this.limits;
    if (blob.size > maxLayerBytes) {
      throw new RefwardenError(
        'ArtifactTooLarge',
        `${what} has ${blob.size} bytes; the limit is ${maxLayerBytes}.`,
      );
    }
    const inlined = inlinedContent(blob);
    if (inlined !== undefined) return inlined;
    const key = this.#key(target, blob.digest, access);
    const known = this.#caches.blobs.read(key);
    if (known !== undefined) {
      if (known.byteLength !== blob.size) throw sizeMismatch(what, blob.size);
      return known;
    }
    // The size is part of the key: a caller with a wrong one must not spoil the answer of the others.
    return await this.#blobs.run(`${key}\n${blob.size}`, callerOf(access), async (shared) => {
      const kept = await this.#disk?.read(blobFile(key), blob.digest, maxLayerBytes);
      if (kept !== undefined) {
        this.#caches.blobs.set(key, kept.bytes);
        if (kept.bytes.byteLength !== blob.size) throw sizeMismatch(what, blob.size);
        return kept.bytes;
      }
      const bytes = await this.#api.blob(target, blob, workOf(access, shared));
      this.#caches.blobs.set(key, bytes);
      this.#disk?.write(blobFile(key), { bytes, contentType: undefined });
      return bytes;
    });
  }

  /** Remembered unless something was amiss. */
  async list(api: ListingApiName, subject: Subject, access: RegistryAccess): Promise<ListingAnswer> {
    let askedAtMs = this.clock.nowMs();
    for (const endpoint of listingEndpoints[api]) {
      const answer = await this.#listAt(endpoint, subject, access);
      if (answer.kind === 'listing') return answer;
      askedAtMs = Math.min(askedAtMs, answer.askedAtMs);
    }
    return { kind: 'noSuchApi', askedAtMs };
  }

  async #listAt(endpoint: ListingEndpoint, subject: Subject, access: RegistryAccess): Promise<ListingAnswer> {
    const { name: api } = endpoint;
    const { absentApis, presentApis, listings } = this.#caches;
    const hostKey = `${api}\n${subject.registry}\n${this.#scope(subject, access)}`;
    const repositoryKey = this.#key(subject, api, access);
    const isBelieved = (askedAtMs: number): boolean =>
      this.#isFresh(askedAtMs, this.limits.absentApiTtlMs, access);
    const askedBeforeMs = absentApis.read(hostKey, isBelieved) ?? absentApis.read(repositoryKey, isBelieved);
    if (askedBeforeMs !== undefined) return { kind: 'noSuchApi', askedAtMs: askedBeforeMs };
    const key = this.#key(subject, `${api} ${subject.digest}`, access);
    const known = listings.read(key, ({ askedAtMs }) =>
      this.#isFresh(askedAtMs, this.limits.listingTtlMs, access),
    );
    if (known !== undefined) return known;
    return await this.#listings.run(key, callerOf(access), async (shared) => {
      const askedAtMs = this.clock.nowMs();
      const answer = await this.#listingApi.fetch(endpoint, subject, workOf(access, shared));
      if (answer.kind === 'listing') {
        presentApis.set(hostKey, true);
        for (const absentKey of [hostKey, repositoryKey]) absentApis.delete(absentKey);
        if (answer.faults.length === 0) listings.set(key, answer);
        return answer;
      }
      const absent = { kind: 'noSuchApi', askedAtMs } as const;
      // A word about this repository says nothing of the host: else a pod that names one that does not exist
      // would hide the referrers of all others.
      if (!answer.isWhole) listings.set(key, absent);
      else absentApis.set(presentApis.read(hostKey) === true ? repositoryKey : hostKey, askedAtMs);
      return absent;
    });
  }

  async listTags(repository: Repository, access: RegistryAccess): Promise<TagList> {
    const key = this.#key(repository, 'tags', access);
    const { tagLists } = this.#caches;
    const known = tagLists.read(key, ({ askedAtMs }) =>
      this.#isFresh(askedAtMs, this.limits.listingTtlMs, access),
    );
    if (known !== undefined) return known;
    return await this.#tagLists.run(key, callerOf(access), async (shared) => {
      const askedAtMs = this.clock.nowMs();
      const list = { ...(await this.#tagsApi.fetch(repository, workOf(access, shared))), askedAtMs };
      tagLists.set(key, list);
      return list;
    });
  }

  /** What each of its caches did. */
  caches(): readonly CacheCounts[] {
    const caches = Object.values<Pick<RegistryCaches['tags'], 'counts'>>({ ...this.#caches });
    return [...caches.map((cache) => cache.counts()), ...this.#tokens.caches()];
  }

  async close(): Promise<void> {
    await this.#agents.close();
  }

  #key(target: Repository, name: string, access: RegistryAccess): string {
    return cacheKey(target, name, this.#scope(target, access));
  }

  /** Of the credentials that are sent: those for the mirror, where there is one. */
  #scope(target: Repository, { credentials }: RegistryAccess): string {
    const { registry, repository } = this.#endpoints.asked(target);
    return credentials.scope(registry, repository);
  }

  #isFresh(askedAtMs: number, ttlMs: number, { maxListingAgeMs = Infinity }: RegistryAccess): boolean {
    const ageMs = this.clock.nowMs() - askedAtMs;
    return ageMs >= 0 && ageMs < ttlMs && ageMs <= maxListingAgeMs;
  }
}

export function createRegistryClient(options: RegistryClientOptions = {}): ContentStore {
  const endpoints = new RegistryEndpoints(options.registries ?? []);
  return new AccountTrials(new RegistryClient(options, endpoints), endpoints);
}

/**
 * Undefined when nothing is inlined, or something else: a listing is only a hint, and the manifest is fetched. Its word
 * on the media type is none either, and would spoil the manifest for others if it were kept with it.
 */
function inlinedManifest(
  { digest }: Subject,
  listed: ListedArtifact | undefined,
): ManifestContent | undefined {
  if (listed?.data === undefined) return undefined;
  const bytes = Buffer.from(listed.data, 'base64');
  return matchesDigest(bytes, digest) ? new ManifestContent(digest, bytes, undefined) : undefined;
}

/** Its timer holds the process: a command line that waits for a retry must not end in the middle. */
async function sleepUnlessAborted(delayMs: number, signal: AbortSignal): Promise<void> {
  await delay(delayMs, undefined, { signal });
}

/** The same bytes may be kept as both: only a manifest has a media type. */
const manifestFile = (key: string): string => `manifest\n${key}`;
const blobFile = (key: string): string => `blob\n${key}`;

function callerOf(access: RegistryAccess): Caller {
  return { tenant: tenantOf(access), signal: access.signal };
}

function workOf({ credentials, trace, purpose = 'decision' }: RegistryAccess, shared: SharedWork): Work {
  return { ...shared, credentials, trace, purpose };
}
