import type { ContentStore } from '../admission/content-store.ts';
import type {
  IndexHints,
  ParentEvent,
  ParentIndex,
  RegistryAccess,
  Subject,
  UnusableReferrer,
} from '../admission/ports.ts';
import { failure, toFailure } from '../failures/failure.ts';
import { shortDigest } from '../image/digest.ts';
import type { Digest } from '../image/digest.ts';
import { repositoryName } from '../image/reference.ts';
import type { ListedArtifact } from '../oci/listing.ts';
import { refersTo } from '../oci/manifest.ts';
import type { Mechanism } from '../policy/evidence.ts';
import { asTheyArrive } from './as-they-arrive.ts';
import { DiscoveryTally } from './discovery-tally.ts';
import { containedAs } from './index-entries.ts';
import type { KnownIndexes } from './known-indexes.ts';
import { fetchListed, leavesOpen, unusable } from './listed-document.ts';
import type { ListedDocument } from './listed-document.ts';
import { createListingMechanism } from './listing-mechanism.ts';
import { rankIndexesFirst } from './rank-hints.ts';
import { indexesUnderTags, tagsToScan } from './tagged-indexes.ts';

/** Documents that may be indexes of the subject, and how they were found. */
interface Found {
  readonly mechanism: Mechanism;
  readonly entries: readonly ListedArtifact[];
  readonly malformed: UnusableReferrer[];
}

/** One walk up under way. */
interface Progress {
  readonly subject: Subject;
  readonly access: RegistryAccess;
  readonly tally: DiscoveryTally;
  readonly looked: Set<Digest>;
  /** Handed out, by where they were found: none of the sources crowds out another. */
  readonly parents: Map<Mechanism, number>;
  isBoundHit: boolean;
}

/**
 * The indexes that contain a manifest or index, one step up. Cheapest first: those seen before, then what is listed by
 * the references API and what stands under the tags of the reference and of policy, then a scan of tags where the
 * registry's settings allow it. Wherever one comes from, it is proven by its hash and its entries.
 */
export class ParentDiscovery {
  readonly #store: ContentStore;
  readonly #known: KnownIndexes;

  constructor(store: ContentStore, known: KnownIndexes) {
    this.#store = store;
    this.#known = known;
  }

  async *discover(
    subject: Subject,
    hints: IndexHints,
    access: RegistryAccess,
  ): AsyncGenerator<readonly ParentEvent[]> {
    const tally = new DiscoveryTally(this.#store.clock);
    const looked = new Set([subject.digest]);
    const progress: Progress = { subject, access, tally, looked, parents: new Map(), isBoundHit: false };
    const known = this.#known.parentsOf(subject, access).map((digest) => ({ digest }));
    yield* this.#lookThrough({ mechanism: 'KnownIndex', entries: known, malformed: [] }, progress);
    const waves = [this.#listed(subject, hints, progress), [this.#scanned(subject, progress)]];
    for (const wave of waves) {
      const questions = wave.flatMap((ask) => (ask === undefined ? [] : [this.#ask(ask, progress)]));
      for await (const found of asTheyArrive(questions)) {
        if (found !== undefined) yield* this.#lookThrough(found, progress);
      }
    }
    if (progress.isBoundHit) tally.fail(tooMany(subject));
    yield [tally.end()];
  }

  /** A fault of one source is noted, so that the others are still asked. */
  async #ask(ask: () => Promise<Found>, { tally }: Progress): Promise<Found | undefined> {
    try {
      return await ask();
    } catch (thrown) {
      tally.fail(toFailure(thrown));
      return undefined;
    }
  }

  #listed(subject: Subject, hints: IndexHints, progress: Progress): (() => Promise<Found>)[] {
    const configured = this.#store.mechanisms(subject);
    const { access, tally } = progress;
    const apis = (['References', 'Layout'] as const).filter((name) => configured.includes(name));
    const tags = [...new Set([...(hints.tag === undefined ? [] : [hints.tag]), ...hints.indexTags])];
    return [
      // The listing is the one that referrers are found by, so that it costs no second request.
      ...apis.map((name) => async () => {
        const mechanism = createListingMechanism(this.#store, name);
        const listing = await tally.ask({ mechanism, at: subject }, subject, access);
        if (typeof listing === 'string') return { mechanism: name, entries: [], malformed: [] };
        const malformed = listing.malformed.map((problem) => unusable(name, problem));
        return { mechanism: name, entries: rankIndexesFirst(listing.entries), malformed };
      }),
      ...tags.map((tag) => () => this.#under('IndexTag', [tag], progress)),
    ];
  }

  async #under(
    mechanism: 'IndexTag' | 'TagScan',
    tags: readonly string[],
    { subject, access, tally }: Progress,
  ): Promise<Found> {
    const { entries, failures } = await indexesUnderTags(this.#store, subject, tags, access);
    for (const failed of failures) tally.fail(failed);
    return { mechanism, entries, malformed: [] };
  }

  #scanned(subject: Subject, progress: Progress): (() => Promise<Found>) | undefined {
    if (!this.#store.mechanisms(subject).includes('TagScan')) return undefined;
    return async () => {
      const list = await this.#store.listTags(subject, progress.access);
      progress.tally.relyOn(list.askedAtMs);
      const { tags, isWhole } = tagsToScan(list, this.#store.limits.maxScannedTags);
      if (!isWhole) progress.isBoundHit = true;
      return await this.#under('TagScan', tags, progress);
    };
  }

  async *#lookThrough(
    { mechanism, entries, malformed }: Found,
    progress: Progress,
  ): AsyncGenerator<readonly (ParentIndex | UnusableReferrer)[]> {
    const { subject, access, tally, looked } = progress;
    const { maxReferrerFetches, maxParentIndexes } = this.#store.limits;
    if (malformed.length > 0) yield malformed;
    const fresh = [...new Map(entries.map((entry) => [entry.digest, entry])).values()].filter(
      ({ digest }) => !looked.has(digest),
    );
    const due = fresh.slice(0, maxReferrerFetches);
    if (due.length < fresh.length) progress.isBoundHit = true;
    let isFull = false;
    for await (const batch of fetchListed(this.#store, due, subject, access)) {
      const events: (ParentIndex | UnusableReferrer)[] = [];
      for (const fetched of batch) {
        looked.add(fetched.entry.digest);
        const event = await this.#judge(fetched, mechanism, progress);
        if (event === undefined) continue;
        if (event.kind === 'parent') {
          const before = progress.parents.get(mechanism) ?? 0;
          if (before >= maxParentIndexes) {
            isFull = true;
            continue;
          }
          progress.parents.set(mechanism, before + 1);
        }
        if (event.kind === 'unusable' && leavesOpen(event.failure)) tally.fail(event.failure);
        events.push(event);
      }
      if (events.length > 0) yield events;
      if (isFull) {
        progress.isBoundHit = true;
        return;
      }
    }
  }

  /** Undefined for what is no index of the subject, and does not have to be: a referrer, another image's index. */
  async #judge(
    fetched: ListedDocument,
    mechanism: Mechanism,
    { subject, access }: Progress,
  ): Promise<ParentIndex | UnusableReferrer | undefined> {
    const { entry } = fetched;
    if ('failure' in fetched) {
      // An index that was seen once may be gone since: that leaves nothing open.
      const isGone = mechanism === 'KnownIndex' && fetched.failure.code === 'ArtifactMissing';
      return isGone ? undefined : unusable(mechanism, fetched.failure, entry);
    }
    const { document } = fetched;
    if (document.kind !== 'index') return undefined;
    try {
      const kind = containedAs(document, subject.digest);
      if (kind === 'manifest' || (kind === 'index' && (await this.#isIndex(subject, access)))) {
        return { kind: 'parent', mechanism, digest: entry.digest, index: document };
      }
    } catch (thrown) {
      return unusable(mechanism, toFailure(thrown), entry);
    }
    const isChild = document.manifests.some(({ digest }) => digest === subject.digest);
    // Only a listing said that it contains the subject.
    const isClaimed = mechanism === 'References' || mechanism === 'Layout';
    if (!isChild && (!isClaimed || refersTo(document, subject.digest))) return undefined;
    const why = `${repositoryName(subject)}: index ${shortDigest(entry.digest)} does not contain ${shortDigest(subject.digest)} as a runnable platform, in entries that agree.`;
    return unusable(mechanism, failure('ParentUnproven', why), entry);
  }

  /** What is contained as an index must be one: a manifest under that name is read by nobody as it was signed. */
  async #isIndex(subject: Subject, access: RegistryAccess): Promise<boolean> {
    return (await this.#store.fetchManifest(subject, access)).document().kind === 'index';
  }
}

function tooMany(subject: Subject): ReturnType<typeof failure> {
  const name = `${repositoryName(subject)}@${shortDigest(subject.digest)}`;
  return failure('TooManyReferrers', `${name}: more indexes and artifacts are listed than are looked at.`);
}
