import type { RegistryClient } from '../registry/registry-client.ts';
import type { DiscoveryMechanism } from './discovery-mechanism.ts';

/**
 * `GET /v2/<name>/manifests/<digest>/references`: the founding proposal's API (opencontainers/image-spec #827).
 * It lists what refers to the subject, and the indexes that contain it.
 */
export function createReferencesApi(client: RegistryClient): DiscoveryMechanism {
  return {
    mechanism: 'References',
    isClaimedByTag: false,
    list: (subject, access) => {
      const path = `manifests/${subject.digest}/references`;
      return client.list({ api: 'references', subject, path }, access);
    },
  };
}
