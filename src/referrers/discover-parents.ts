import type {
  ParentEvent,
  ParentIndex,
  RegistryAccess,
  Subject,
  UnusableReferrer,
} from '../admission/ports.ts';
import { failure } from '../failures/failure.ts';
import { shortDigest } from '../image/digest.ts';
import { repositoryName } from '../image/reference.ts';
import { isManifestType } from '../oci/media-types.ts';
import { isRunnableChild, refersTo } from '../oci/manifest.ts';
import type { Index } from '../oci/manifest.ts';
import type { RegistryClient } from '../registry/registry-client.ts';
import { DiscoveryTally } from './discovery-tally.ts';
import { fetchListed, leavesOpen, unusable } from './listed-document.ts';
import type { ListedDocument } from './listed-document.ts';
import { rankIndexesFirst } from './rank-hints.ts';
import { createReferencesApi } from './references-api.ts';

/**
 * The indexes that contain a manifest: one step up, by the references API where it is configured. The listing is
 * the one that referrers are found by, so that it costs no second request.
 */
export async function* discoverParents(
  client: RegistryClient,
  subject: Subject,
  access: RegistryAccess,
): AsyncGenerator<ParentEvent> {
  const tally = new DiscoveryTally(client.clock);
  const mechanism = createReferencesApi(client);
  if (client.mechanisms(subject.registry).includes('References')) {
    const listing = await tally.ask(mechanism, subject, access);
    if (listing !== 'absent' && listing !== 'fault') {
      for (const problem of listing.malformed) yield unusable('References', problem);
      const fresh = new Map(listing.entries.map((entry) => [entry.digest, entry]));
      fresh.delete(subject.digest);
      const ranked = rankIndexesFirst([...fresh.values()]);
      const due = ranked.slice(0, client.limits.maxReferrerFetches);
      let isBoundHit = due.length < ranked.length;
      let parents = 0;
      for await (const fetched of fetchListed(client, due, subject, access)) {
        const event = judge(fetched, subject);
        if (event === undefined) continue;
        if (event.kind === 'parent' && parents++ >= client.limits.maxParentIndexes) {
          isBoundHit = true;
          break;
        }
        if (event.kind === 'unusable' && leavesOpen(event.failure)) tally.fail(event.failure);
        yield event;
      }
      if (isBoundHit) tally.fail(tooMany(subject));
    }
  }
  yield tally.end();
}

/** Undefined for what is no index, or refers to the subject: those are referrers. */
function judge(fetched: ListedDocument, subject: Subject): ParentIndex | UnusableReferrer | undefined {
  const { entry } = fetched;
  if ('failure' in fetched) return unusable('References', fetched.failure, entry);
  const { document } = fetched;
  if (document.kind !== 'index') return undefined;
  if (provesChild(document, subject)) {
    return { kind: 'parent', mechanism: 'References', digest: entry.digest, index: document };
  }
  const isChild = document.manifests.some(({ digest }) => digest === subject.digest);
  if (!isChild && refersTo(document, subject.digest)) return undefined;
  const why = `${repositoryName(subject)}: index ${shortDigest(entry.digest)} does not contain ${shortDigest(subject.digest)} as a runnable platform, in entries that agree.`;
  return unusable('References', failure('ParentUnproven', why), entry);
}

/**
 * Every entry for the child must be runnable and agree with the others, so that no reading of the index is another.
 * Size and type are not held against the child itself: the digest binds it whatever they say, and the answer must not
 * depend on whether its manifest happens to be at hand.
 */
function provesChild(index: Index, subject: Subject): boolean {
  const entries = index.manifests.filter(({ digest }) => digest === subject.digest);
  const [first] = entries;
  if (first === undefined) return false;
  return entries.every(
    (entry) =>
      isRunnableChild(entry) &&
      isManifestType(entry.mediaType) &&
      entry.size === first.size &&
      entry.mediaType === first.mediaType,
  );
}

function tooMany(subject: Subject): ReturnType<typeof failure> {
  const name = `${repositoryName(subject)}@${shortDigest(subject.digest)}`;
  return failure('TooManyReferrers', `${name}: more indexes and artifacts are listed than are looked at.`);
}
