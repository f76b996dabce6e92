import type { ContentStore } from '../admission/content-store.ts';
import type { RegistryAccess, UnusableReferrer } from '../admission/ports.ts';
import { failure, failureKind, toFailure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import { shortDigest } from '../image/digest.ts';
import { repositoryName } from '../image/reference.ts';
import type { Repository } from '../image/reference.ts';
import type { ListedArtifact } from '../oci/listing.ts';
import type { Document } from '../oci/manifest.ts';
import type { Mechanism } from '../policy/evidence.ts';

/** A listed document as fetched and hash-verified, or why it cannot be used. */
export type ListedDocument =
  | { readonly entry: ListedArtifact; readonly document: Document; readonly sizeBytes: number }
  | { readonly entry: ListedArtifact; readonly failure: Failure };

/** Fetched at once after the first, which may well satisfy: so many that 20 are looked at within two round trips. */
const secondBatchSize = 19;

/**
 * Fetches what was listed, in order and in batches: the first alone, then ever more while the consumer goes on, so that
 * many do not take as many round trips.
 */
export async function* fetchListed(
  store: ContentStore,
  entries: readonly ListedArtifact[],
  at: Repository,
  access: RegistryAccess,
): AsyncGenerator<ListedDocument[]> {
  const { maxParallelFetches } = store.limits;
  for (let from = 0, size = 1; from < entries.length;) {
    const batch = entries.slice(from, from + size);
    yield await Promise.all(batch.map((entry) => fetchOne(store, entry, at, access)));
    from += size;
    size = Math.min(size === 1 ? secondBatchSize : maxParallelFetches, maxParallelFetches);
  }
}

async function fetchOne(
  store: ContentStore,
  entry: ListedArtifact,
  { registry, repository }: Repository,
  access: RegistryAccess,
): Promise<ListedDocument> {
  try {
    const subject = { registry, repository, digest: entry.digest };
    const content = await store.fetchManifest(subject, access, entry);
    return { entry, document: content.document(), sizeBytes: content.bytes.byteLength };
  } catch (thrown) {
    const why = toFailure(thrown);
    if (why.code !== 'ImageNotFound') return { entry, failure: why };
    const gone = `${repositoryName({ registry, repository })} lists ${shortDigest(entry.digest)} but does not have it.`;
    return { entry, failure: failure('ArtifactMissing', gone) };
  }
}

export function unusable(mechanism: Mechanism, why: Failure, entry?: ListedArtifact): UnusableReferrer {
  return {
    kind: 'unusable',
    mechanism,
    failure: why,
    ...(entry === undefined ? {} : { digest: entry.digest }),
  };
}

/** Whether it stays unknown what the artifact is; one that is known to be bad leaves nothing open. */
export function leavesOpen({ code }: Failure): boolean {
  const kind = failureKind(code);
  return kind === 'inconclusive' || kind === 'internal';
}
