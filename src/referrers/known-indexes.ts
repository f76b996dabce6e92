import type { ContentStore } from '../admission/content-store.ts';
import { MeteredCache } from '../admission/metered-cache.ts';
import type { CacheCounts } from '../admission/metered-cache.ts';
import type { RegistryAccess, Subject } from '../admission/ports.ts';
import type { Digest } from '../image/digest.ts';
import type { Repository } from '../image/reference.ts';
import { isRunnableChild } from '../oci/manifest.ts';
import type { Index } from '../oci/manifest.ts';

/** Children remembered of one index: more than any image has platforms. */
const maxChildrenPerIndex = 256;

/**
 * Which indexes contained an image, of all that were seen. Only digests: whoever uses one fetches the index with
 * credentials of its own, and hashes it again.
 */
export class KnownIndexes {
  readonly #parents: MeteredCache<Set<Digest>>;
  readonly #maxParents: number;

  constructor({ maxRemembered, maxParentIndexes }: ContentStore['limits']) {
    this.#parents = new MeteredCache('parent_indexes', { maxEntries: maxRemembered });
    this.#maxParents = maxParentIndexes;
  }

  learn(at: Repository, digest: Digest, index: Index, access: RegistryAccess): void {
    const children = index.manifests.filter(isRunnableChild).slice(0, maxChildrenPerIndex);
    for (const child of children) {
      const key = keyOf({ ...at, digest: child.digest }, access);
      const parents = this.#parents.peek(key) ?? new Set();
      if (parents.has(digest)) continue;
      // The newest are kept: an image that is built again gets a new index.
      const [oldest] = parents;
      if (oldest !== undefined && parents.size >= this.#maxParents) parents.delete(oldest);
      parents.add(digest);
      this.#parents.set(key, parents);
    }
  }

  /** The newest first. */
  parentsOf(child: Subject, access: RegistryAccess): readonly Digest[] {
    return [...(this.#parents.read(keyOf(child, access)) ?? [])].reverse();
  }

  counts(): CacheCounts {
    return this.#parents.counts();
  }
}

/** One tenant's look into a private repository says nothing to another (threat 27). */
function keyOf({ registry, repository, digest }: Subject, { credentials }: RegistryAccess): string {
  return `${registry}/${repository}\n${digest}\n${credentials.scope(registry, repository)}`;
}
