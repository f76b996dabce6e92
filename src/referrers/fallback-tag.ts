import type { ContentStore } from '../admission/content-store.ts';
import { failure, toFailure } from '../failures/failure.ts';
import { digestAlgorithm, digestHex } from '../image/digest.ts';
import type { Digest } from '../image/digest.ts';
import { repositoryName } from '../image/reference.ts';
import { boundListing, parseEntries } from '../oci/listing.ts';
import type { Listing } from '../oci/listing.ts';
import type { ManifestContent } from '../oci/manifest-content.ts';
import { parseStrictJson } from '../oci/strict-json.ts';
import type { DiscoveryMechanism } from './discovery-mechanism.ts';

/** Longest encoded part of a referrers tag, characters (distribution-spec 1.1, "Referrers Tag Schema"). */
const maxEncodedLength = 64;

/** `sha256-<hex>`; a sha512 digest is cut, so that two may share the tag. */
export function fallbackTag(digest: Digest): string {
  return `${digestAlgorithm(digest)}-${digestHex(digest).slice(0, maxEncodedLength)}`;
}

/** The index under the referrers tag (distribution-spec 1.1), for registries without the API. It has no pages. */
export function createFallbackTag(store: ContentStore): DiscoveryMechanism {
  const { maxReferrers } = store.limits;
  const known = new WeakMap<ManifestContent, Entries>();
  return {
    mechanism: 'FallbackTag',
    name: 'FallbackTag',
    isClaimedByTag: false,
    list: async (subject, access) => {
      const tag = fallbackTag(subject.digest);
      const what = `${repositoryName(subject)}: the referrers tag ${tag}`;
      const { content, askedAtMs } = await store.fetchTagged({ ...subject, tag }, access);
      const empty = { kind: 'listing', entries: [], malformed: [], faults: [], askedAtMs } as const;
      // GitLab resolves the tag to the digest itself: the image does not list what refers to it.
      if (content === undefined || content.digest === subject.digest) return empty;
      const entries = known.get(content) ?? readEntries(content, what, maxReferrers);
      known.set(content, entries);
      return boundListing({ ...empty, ...entries }, maxReferrers, what);
    },
  };
}

type Entries = Pick<Listing, 'entries' | 'malformed'>;

/** As a listing, not as an index: whoever may push can add an entry, and a bad one must not hide the others. */
function readEntries({ bytes }: ManifestContent, what: string, maxEntries: number): Entries {
  try {
    const list = parseEntries(parseStrictJson(bytes, what, 'ManifestInvalid'), what, maxEntries);
    if (list !== undefined) return list;
    const problem = failure('ManifestInvalid', `${what} holds a manifest instead of an index.`);
    return { entries: [], malformed: [problem] };
  } catch (thrown) {
    return { entries: [], malformed: [toFailure(thrown)] };
  }
}
