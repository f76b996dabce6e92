import { LRUCache } from 'lru-cache';
import type {
  ContentStore,
  DiscoveryLimits,
  ListingApiName,
  TagList,
  Tagged,
  TaggedManifest,
} from '../admission/content-store.ts';
import type { CacheCounts } from '../admission/metered-cache.ts';
import type { Clock, RegistryAccess, ResolvedImage, Subject } from '../admission/ports.ts';
import { RequestTrace } from '../admission/request-trace.ts';
import { RefwardenError } from '../failures/failure.ts';
import type { Repository } from '../image/reference.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { ListedArtifact, ListingAnswer } from '../oci/listing.ts';
import type { Document } from '../oci/manifest.ts';
import type { ManifestContent } from '../oci/manifest-content.ts';
import { isIndexType } from '../oci/media-types.ts';
import type { Mechanism } from '../policy/evidence.ts';
import { Turn } from '../scheduling/fair-queue.ts';
import type { KnownIndexes } from './known-indexes.ts';

/** A document above this size is read in a turn of its own, bytes: one of megabytes takes tens of milliseconds. */
const largeDocumentBytes = 64 * 1024;

/** A store that notes every index that passes through it. */
export class LearningStore implements ContentStore {
  readonly limits: DiscoveryLimits;
  readonly clock: Clock;
  readonly #store: ContentStore;
  readonly #known: KnownIndexes;
  /** Contents that were noted, and digests that were fetched for it. */
  readonly #noted = new WeakSet<ManifestContent>();
  readonly #fetched: LRUCache<string, true>;

  constructor(store: ContentStore, known: KnownIndexes) {
    this.limits = store.limits;
    this.clock = store.clock;
    this.#store = store;
    this.#known = known;
    this.#fetched = new LRUCache({ max: store.limits.maxRemembered });
  }

  mechanisms(repository: Repository): readonly Mechanism[] {
    return this.#store.mechanisms(repository);
  }

  /** An index that is met by its digest only is fetched once, and no decision waits for it. */
  async resolveTag(tagged: Tagged, access: RegistryAccess): Promise<ResolvedImage> {
    const image = await this.#store.resolveTag(tagged, access);
    if (image.mediaType !== undefined && isIndexType(image.mediaType)) {
      const { registry, repository } = tagged;
      this.#fetchLater({ registry, repository, digest: image.digest }, access);
    }
    return image;
  }

  async fetchManifest(
    subject: Subject,
    access: RegistryAccess,
    listed?: ListedArtifact,
  ): Promise<ManifestContent> {
    const content = await this.#store.fetchManifest(subject, access, listed);
    await this.#note(subject, content, access);
    return content;
  }

  async fetchTagged(tagged: Tagged, access: RegistryAccess): Promise<TaggedManifest> {
    const answer = await this.#store.fetchTagged(tagged, access);
    if (answer.content !== undefined) await this.#note(tagged, answer.content, access);
    return answer;
  }

  fetchBlob(target: Repository, blob: Descriptor, access: RegistryAccess): Promise<Uint8Array> {
    return this.#store.fetchBlob(target, blob, access);
  }

  list(api: ListingApiName, subject: Subject, access: RegistryAccess): Promise<ListingAnswer> {
    return this.#store.list(api, subject, access);
  }

  listTags(repository: Repository, access: RegistryAccess): Promise<TagList> {
    return this.#store.listTags(repository, access);
  }

  caches(): readonly CacheCounts[] {
    return [...this.#store.caches(), this.#known.counts()];
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async #note(at: Repository, content: ManifestContent, access: RegistryAccess): Promise<void> {
    if (this.#noted.has(content)) return;
    const isLarge = content.bytes.byteLength > largeDocumentBytes;
    const read = (): ReturnType<typeof parsed> => {
      this.#noted.add(content);
      return parsed(content);
    };
    const document = isLarge ? await new Turn(access.tenant, access.signal).do(read) : read();
    if (document?.kind === 'index') this.#known.learn(at, content.digest, document, access);
  }

  #fetchLater(index: Subject, access: RegistryAccess): void {
    const { registry, repository, digest } = index;
    const key = `${registry}/${repository}\n${digest}\n${access.credentials.scope(registry, repository)}`;
    if (this.#fetched.has(key)) return;
    this.#fetched.set(key, true);
    const { credentials, tenant } = access;
    const later: RegistryAccess = {
      credentials,
      tenant,
      purpose: 'background',
      // Its own: the decision may end before, and does not count it.
      signal: new AbortController().signal,
      trace: new RequestTrace(),
    };
    this.fetchManifest(index, later).catch(() => this.#fetched.delete(key));
  }
}

/** Undefined for what is no manifest: whoever asked for it is told. */
function parsed(content: ManifestContent): Document | undefined {
  try {
    return content.document();
  } catch (thrown) {
    if (thrown instanceof RefwardenError) return undefined;
    throw thrown;
  }
}
