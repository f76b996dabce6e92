import type { ContentStore, ListingApiName } from '../admission/content-store.ts';
import type { Mechanism } from '../policy/evidence.ts';
import type { DiscoveryMechanism } from './discovery-mechanism.ts';

const apis = {
  References: 'references',
  Referrers: 'referrers',
  Oras: 'oras',
  Layout: 'references',
} as const;

/** A mechanism that is one API, which lists descriptors. */
export function createListingMechanism(
  store: ContentStore,
  mechanism: Extract<Mechanism, keyof typeof apis>,
): DiscoveryMechanism {
  const api: ListingApiName = apis[mechanism];
  return {
    mechanism,
    name: mechanism,
    isClaimedByTag: false,
    list: (subject, access) => store.list(api, subject, access),
  };
}
