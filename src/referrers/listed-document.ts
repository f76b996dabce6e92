import type { RegistryAccess, Subject, UnusableReferrer } from '../admission/ports.ts';
import { failure, failureKind, toFailure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import { shortDigest } from '../image/digest.ts';
import { repositoryName } from '../image/reference.ts';
import type { Document } from '../oci/manifest.ts';
import type { Mechanism } from '../policy/evidence.ts';
import type { ListedArtifact } from '../registry/listing.ts';
import type { RegistryClient } from '../registry/registry-client.ts';

/** A listed document as fetched and hash-verified, or why it cannot be used. */
export type ListedDocument =
  | { readonly entry: ListedArtifact; readonly document: Document }
  | { readonly entry: ListedArtifact; readonly failure: Failure };

/**
 * Fetches what was listed, in order, in batches that grow while the consumer goes on: the first may well satisfy,
 * and many must not take as many round trips.
 */
export async function* fetchListed(
  client: RegistryClient,
  entries: readonly ListedArtifact[],
  subject: Subject,
  access: RegistryAccess,
): AsyncGenerator<ListedDocument> {
  for (
    let at = 0, size = 1;
    at < entries.length;
    at += size, size = Math.min(size * 2, client.limits.maxParallelFetches)
  ) {
    yield* await Promise.all(
      entries.slice(at, at + size).map((entry) => fetchOne(client, entry, subject, access)),
    );
  }
}

async function fetchOne(
  client: RegistryClient,
  entry: ListedArtifact,
  subject: Subject,
  access: RegistryAccess,
): Promise<ListedDocument> {
  try {
    const content = await client.fetchManifest({ ...subject, digest: entry.digest }, access);
    return { entry, document: content.document() };
  } catch (thrown) {
    const why = toFailure(thrown);
    if (why.code !== 'ImageNotFound') return { entry, failure: why };
    const gone = `${repositoryName(subject)} lists ${shortDigest(entry.digest)} but does not have it.`;
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
