import { digestAlgorithm, digestHex } from '../image/digest.ts';
import type { Listing } from '../oci/listing.ts';
import type { ContentStore } from '../admission/content-store.ts';
import type { DiscoveryMechanism } from './discovery-mechanism.ts';

/** Longest tag that a registry takes, characters (distribution-spec 1.1). */
const maxTagLength = 128;

export type CosignSuffix = 'sig' | 'att' | 'sbom';

/**
 * The tag `sha256-<hex>.sig`, `.att` or `.sbom` of cosign 1 and 2 (cosign SIGNATURE_SPEC "Discovery"). Its manifest names
 * no subject; the signed payload does, and is what decides.
 */
export function createCosignTag(store: ContentStore, suffix: CosignSuffix): DiscoveryMechanism {
  return {
    mechanism: 'CosignTag',
    name: `CosignTag ${suffix}`,
    isClaimedByTag: true,
    list: async (subject, access) => {
      const tag = `${digestAlgorithm(subject.digest)}-${digestHex(subject.digest)}.${suffix}`;
      // A tag for a sha512 digest is too long to exist.
      if (tag.length > maxTagLength) return listing([], store.clock.nowMs());
      const { content, askedAtMs } = await store.fetchTagged({ ...subject, tag }, access);
      return listing(content === undefined ? [] : [{ digest: content.digest }], askedAtMs);
    },
  };
}

function listing(entries: Listing['entries'], askedAtMs: number): Listing {
  return { kind: 'listing', entries, malformed: [], faults: [], askedAtMs };
}
