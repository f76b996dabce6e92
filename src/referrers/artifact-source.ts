import type { ContentStore } from '../admission/content-store.ts';
import type { CacheCounts } from '../admission/metered-cache.ts';
import type { ArtifactSource } from '../admission/ports.ts';
import { attestationsInIndex } from './attestations-in-index.ts';
import { ParentDiscovery } from './discover-parents.ts';
import { ReferrerDiscovery } from './discover-referrers.ts';
import { KnownIndexes } from './known-indexes.ts';
import { LearningStore } from './learning-store.ts';

export interface OpenArtifactSource extends ArtifactSource {
  caches(): readonly CacheCounts[];
  close(): Promise<void>;
}

/** Resolution, discovery and the walk up, over registries or a layout on disk. Closes what it was given. */
export function createArtifactSource(contents: ContentStore): OpenArtifactSource {
  const known = new KnownIndexes(contents.limits);
  const store = new LearningStore(contents, known);
  const discovery = new ReferrerDiscovery(store);
  const parents = new ParentDiscovery(store, known);
  return {
    resolve: async ({ registry, repository, tag = 'latest', digest }, access) =>
      digest === undefined ? await store.resolveTag({ registry, repository, tag }, access) : { digest },
    referrers: (subject, wanted, access, elsewhere) => discovery.discover(subject, wanted, access, elsewhere),
    parents: (subject, hints, access) => parents.discover(subject, hints, access),
    attestationsIn: (index, child, access) => attestationsInIndex(store, index, child, access),
    fetchParsed: async (subject, access) => (await store.fetchManifest(subject, access)).document(),
    fetchDocument: async (subject, access) => (await store.fetchManifest(subject, access)).bytes,
    caches: () => store.caches(),
    close: () => store.close(),
  };
}
