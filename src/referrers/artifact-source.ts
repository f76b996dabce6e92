import type { CacheCounts } from '../admission/metered-cache.ts';
import type { ArtifactSource } from '../admission/ports.ts';
import { createRegistryClient } from '../registry/registry-client.ts';
import type { RegistryClientOptions } from '../registry/registry-client.ts';
import { ReferrerDiscovery } from './discover-referrers.ts';
import { discoverParents } from './discover-parents.ts';

export type ArtifactSourceOptions = RegistryClientOptions;

/** The registry side of decisions: resolution, discovery and the walk up, over one client and its caches. */
export function createArtifactSource(
  options: ArtifactSourceOptions = {},
): ArtifactSource & { caches(): readonly CacheCounts[]; close(): Promise<void> } {
  const client = createRegistryClient(options);
  const discovery = new ReferrerDiscovery(client);
  return {
    resolve: async ({ registry, repository, tag = 'latest', digest }, access) =>
      digest === undefined ? await client.resolveTag({ registry, repository, tag }, access) : { digest },
    referrers: (subject, wanted, access) => discovery.discover(subject, wanted, access),
    parents: (subject, access) => discoverParents(client, subject, access),
    fetchDocument: async (subject, access) => (await client.fetchManifest(subject, access)).bytes,
    caches: () => client.caches(),
    close: () => client.close(),
  };
}
