import type { RegistryClient } from '../registry/registry-client.ts';
import type { DiscoveryMechanism } from './discovery-mechanism.ts';

/**
 * `GET /v2/<name>/referrers/<digest>` (distribution-spec 1.1, "Listing Referrers"). The server's filter by artifact
 * type is not used: what it leaves out would be taken for absent.
 */
export function createReferrersApi(client: RegistryClient): DiscoveryMechanism {
  return {
    mechanism: 'Referrers',
    isClaimedByTag: false,
    list: (subject, access) => {
      const path = `referrers/${subject.digest}`;
      return client.list({ api: 'referrers', subject, path }, access);
    },
  };
}
