import type {
  ContentStore,
  DiscoveryLimits,
  ListingApiName,
  TagList,
  Tagged,
  TaggedManifest,
} from '../admission/content-store.ts';
import { MeteredCache } from '../admission/metered-cache.ts';
import type { CacheCounts } from '../admission/metered-cache.ts';
import type { Credentials, RegistryAccess, ResolvedImage, Subject } from '../admission/ports.ts';
import { RefwardenError } from '../failures/failure.ts';
import type { Repository } from '../image/reference.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { ListedArtifact, ListingAnswer } from '../oci/listing.ts';
import type { ManifestContent } from '../oci/manifest-content.ts';
import type { Mechanism } from '../policy/evidence.ts';
import { cacheKey } from './caches.ts';
import type { RegistryEndpoints } from './registry-endpoints.ts';

/** How long an account that was refused is tried after the others, milliseconds. */
const refusedTtlMs = 60_000;

/**
 * Reads with each account that may be the right one, until one is not refused, as the kubelet pulls. What is read is
 * remembered for the account that read it alone (threat 27).
 */
export class AccountTrials implements ContentStore {
  readonly limits: DiscoveryLimits;
  readonly clock: ContentStore['clock'];
  readonly #store: ContentStore;
  readonly #endpoints: RegistryEndpoints;
  readonly #refused: MeteredCache<number>;

  /** @param store reads with the account that it is given. */
  constructor(store: ContentStore, endpoints: RegistryEndpoints) {
    this.limits = store.limits;
    this.clock = store.clock;
    this.#store = store;
    this.#endpoints = endpoints;
    this.#refused = new MeteredCache('refused_accounts', { maxEntries: store.limits.maxRemembered });
  }

  mechanisms(repository: Repository): readonly Mechanism[] {
    return this.#store.mechanisms(repository);
  }

  resolveTag(tagged: Tagged, access: RegistryAccess): Promise<ResolvedImage> {
    return this.#try(tagged, access, (own) => this.#store.resolveTag(tagged, own));
  }

  fetchManifest(subject: Subject, access: RegistryAccess, listed?: ListedArtifact): Promise<ManifestContent> {
    return this.#try(subject, access, (own) => this.#store.fetchManifest(subject, own, listed));
  }

  fetchTagged(tagged: Tagged, access: RegistryAccess): Promise<TaggedManifest> {
    return this.#try(tagged, access, (own) => this.#store.fetchTagged(tagged, own));
  }

  fetchBlob(target: Repository, blob: Descriptor, access: RegistryAccess): Promise<Uint8Array> {
    return this.#try(target, access, (own) => this.#store.fetchBlob(target, blob, own));
  }

  list(api: ListingApiName, subject: Subject, access: RegistryAccess): Promise<ListingAnswer> {
    return this.#try(subject, access, (own) => this.#store.list(api, subject, own));
  }

  listTags(repository: Repository, access: RegistryAccess): Promise<TagList> {
    return this.#try(repository, access, (own) => this.#store.listTags(repository, own));
  }

  caches(): readonly CacheCounts[] {
    return [...this.#store.caches(), this.#refused.counts()];
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async #try<T>(
    target: Repository,
    access: RegistryAccess,
    read: (own: RegistryAccess) => Promise<T>,
  ): Promise<T> {
    // Credentials are for the host that is asked: the mirror, where there is one.
    const asked = this.#endpoints.asked(target);
    const { credentials } = access;
    const all = credentials.alternatives?.(asked.registry, asked.repository) ?? [credentials];
    let refusal = new RefwardenError('RegistryUnauthorized', `There is no account for ${asked.registry}.`);
    for (const one of all.length < 2 ? all : this.#refusedLast(all, asked)) {
      try {
        return await read({ ...access, credentials: one });
      } catch (error) {
        if (!(error instanceof RefwardenError) || error.code !== 'RegistryUnauthorized') throw error;
        if (all.length > 1) this.#refused.set(keyOf(asked, one), this.clock.nowMs());
        refusal = error;
      }
    }
    // A refusal says to each caller what its own credentials are: the request may have been that of another.
    const origin = credentials.explain?.(asked.registry, asked.repository);
    if (origin === undefined) throw refusal;
    throw new RefwardenError(refusal.code, `${refusal.message} ${origin}`, refusal.cause);
  }

  /** In their order, but those that were refused of late after the others: none is left out. */
  #refusedLast(all: readonly Credentials[], asked: Repository): readonly Credentials[] {
    const nowMs = this.clock.nowMs();
    const isBelieved = (refusedAtMs: number): boolean => nowMs - refusedAtMs < refusedTtlMs;
    const last = new Set(
      all.filter((one) => this.#refused.read(keyOf(asked, one), isBelieved) !== undefined),
    );
    return [...all.filter((one) => !last.has(one)), ...last];
  }
}

const keyOf = (asked: Repository, one: Credentials): string =>
  cacheKey(asked, 'account', one.scope(asked.registry, asked.repository));
