import type { ContentStore } from '../admission/content-store.ts';
import type { ReferrerEvent, RegistryAccess, Subject } from '../admission/ports.ts';
import { failure } from '../failures/failure.ts';
import { shortDigest } from '../image/digest.ts';
import { repositoryName } from '../image/reference.ts';
import type { Index } from '../oci/manifest.ts';
import { toCandidate } from './candidate.ts';
import { DiscoveryTally } from './discovery-tally.ts';
import { attestationEntries } from './index-entries.ts';
import { fetchListed, leavesOpen, unusable } from './listed-document.ts';

/**
 * The attestation manifests that an index holds for its child. The index binds them by digest: what vouches for it
 * vouches for them. What they say of whom is in their statements.
 */
export async function* attestationsInIndex(
  store: ContentStore,
  index: Index,
  child: Subject,
  access: RegistryAccess,
): AsyncGenerator<readonly ReferrerEvent[]> {
  const tally = new DiscoveryTally(store.clock);
  const entries = attestationEntries(index, child.digest);
  const { maxReferrerFetches } = store.limits;
  for await (const batch of fetchListed(store, entries.slice(0, maxReferrerFetches), child, access)) {
    yield batch.map((fetched) => {
      if ('failure' in fetched) {
        if (leavesOpen(fetched.failure)) tally.fail(fetched.failure);
        return unusable('InIndex', fetched.failure, fetched.entry);
      }
      return toCandidate(store, fetched, { mechanism: 'InIndex', at: child, proved: () => undefined });
    });
  }
  if (entries.length > maxReferrerFetches) {
    const what = `${repositoryName(child)}: an index holds ${entries.length} attestations of ${shortDigest(child.digest)}`;
    tally.fail(failure('TooManyReferrers', `${what}; the limit is ${maxReferrerFetches}.`));
  }
  yield [tally.end()];
}
