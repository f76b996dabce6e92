import { failure, RefwardenError, withCause } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import { digestAlgorithm, digestHex } from '../image/digest.ts';
import type { Digest } from '../image/digest.ts';
import { repositoryName } from '../image/reference.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { ListedArtifact } from '../oci/listing.ts';
import type { ManifestContent } from '../oci/manifest-content.ts';
import type { ContentStore } from '../admission/content-store.ts';
import type { DiscoveryMechanism } from './discovery-mechanism.ts';

/** Longest encoded part of a referrers tag, characters (distribution-spec 1.1, "Referrers Tag Schema"). */
const maxEncodedLength = 64;

/** `sha256-<hex>`; a sha512 digest is cut, so that two may share the tag. */
export function fallbackTag(digest: Digest): string {
  return `${digestAlgorithm(digest)}-${digestHex(digest).slice(0, maxEncodedLength)}`;
}

/** The index under the referrers tag (distribution-spec 1.1), for registries without the API. It has no pages. */
export function createFallbackTag(store: ContentStore): DiscoveryMechanism {
  return {
    mechanism: 'FallbackTag',
    name: 'FallbackTag',
    isClaimedByTag: false,
    list: async (subject, access) => {
      const tag = fallbackTag(subject.digest);
      const { content, askedAtMs } = await store.fetchTagged({ ...subject, tag }, access);
      const empty = { kind: 'listing', entries: [], malformed: [], faults: [], askedAtMs } as const;
      // GitLab resolves the tag to the digest itself: the image does not list what refers to it.
      if (content === undefined || content.digest === subject.digest) return empty;
      const read = readIndex(content, `${repositoryName(subject)}: the referrers tag ${tag}`);
      if ('code' in read) return { ...empty, malformed: [read] };
      const { maxReferrers } = store.limits;
      if (read.length <= maxReferrers) return { ...empty, entries: read };
      const fault = failure(
        'TooManyReferrers',
        `The referrers tag ${tag} lists more than ${maxReferrers} artifacts.`,
      );
      return { ...empty, entries: read.slice(0, maxReferrers), faults: [fault] };
    },
  };
}

function readIndex(content: ManifestContent, what: string): ListedArtifact[] | Failure {
  try {
    const document = content.document();
    if (document.kind === 'index') return document.manifests.map(listed);
    return failure('ManifestInvalid', `${what} holds a manifest instead of an index.`);
  } catch (thrown) {
    if (!(thrown instanceof RefwardenError)) throw thrown;
    return withCause(failure(thrown.code, `${what} holds no index: ${thrown.message}`), thrown);
  }
}

function listed({ digest, mediaType, artifactType, data }: Descriptor): ListedArtifact {
  return {
    ...{ digest, mediaType },
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(data === undefined ? {} : { data }),
  };
}
