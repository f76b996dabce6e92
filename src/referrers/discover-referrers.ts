import { LRUCache } from 'lru-cache';
import type { ContentStore } from '../admission/content-store.ts';
import type {
  Candidate,
  ReferrerEvent,
  RegistryAccess,
  Subject,
  UnusableReferrer,
  Wanted,
} from '../admission/ports.ts';
import { failure } from '../failures/failure.ts';
import { shortDigest } from '../image/digest.ts';
import type { Digest } from '../image/digest.ts';
import { repositoryName } from '../image/reference.ts';
import type { Repository } from '../image/reference.ts';
import { refersTo } from '../oci/manifest.ts';
import type { Listing } from '../oci/listing.ts';
import { asTheyArrive } from './as-they-arrive.ts';
import { toCandidate } from './candidate.ts';
import { createCosignTag } from './cosign-tags.ts';
import type { DiscoveryMechanism } from './discovery-mechanism.ts';
import { planWaves, questionKey } from './discovery-plan.ts';
import type { Place, Question } from './discovery-plan.ts';
import { DiscoveryTally } from './discovery-tally.ts';
import { createFallbackTag } from './fallback-tag.ts';
import { fetchListed, leavesOpen, unusable } from './listed-document.ts';
import type { ListedDocument } from './listed-document.ts';
import { createListingMechanism } from './listing-mechanism.ts';
import { rankByHints } from './rank-hints.ts';

/** One discovery under way: for whom, and what it has looked at. */
interface Progress {
  readonly subject: Subject;
  readonly wanted: Wanted;
  readonly access: RegistryAccess;
  readonly tally: DiscoveryTally;
  /** Repository and digest of each: another repository's copy may be whole where this one lacks a layer. */
  readonly candidates: Set<string>;
  readonly looked: Set<string>;
  /** Questions whose candidates proved something. */
  readonly proved: Set<string>;
  fetches: number;
}

/** The union of what all mechanisms list, asked wave by wave for as long as the consumer wants more. */
export class ReferrerDiscovery {
  readonly #store: ContentStore;
  readonly #mechanisms: readonly DiscoveryMechanism[];
  readonly #byWish: readonly { readonly wish: keyof Wanted; readonly mechanism: DiscoveryMechanism }[];
  /** By what a repository's images were last proven, as {@link questionKey}s. */
  readonly #proved: LRUCache<string, ReadonlySet<string>>;

  constructor(store: ContentStore) {
    this.#store = store;
    this.#mechanisms = [
      createListingMechanism(store, 'Layout'),
      createListingMechanism(store, 'References'),
      createListingMechanism(store, 'Referrers'),
      createListingMechanism(store, 'Oras'),
      createFallbackTag(store),
    ];
    this.#byWish = [
      { wish: 'signatures', mechanism: createCosignTag(store, 'sig') },
      { wish: 'attestations', mechanism: createCosignTag(store, 'att') },
      { wish: 'sboms', mechanism: createCosignTag(store, 'sbom') },
    ];
    this.#proved = new LRUCache({ max: store.limits.maxRemembered });
  }

  /** @param elsewhere further repositories that hold artifacts. */
  async *discover(
    subject: Subject,
    wanted: Wanted,
    access: RegistryAccess,
    elsewhere: readonly Repository[] = [],
  ): AsyncGenerator<readonly ReferrerEvent[]> {
    const tally = new DiscoveryTally(this.#store.clock);
    const progress: Progress = {
      subject,
      wanted,
      access,
      tally,
      candidates: new Set(),
      looked: new Set(),
      proved: new Set(),
      fetches: 0,
    };
    const home = repositoryName(subject);
    const places = [subject, ...elsewhere].map((at): Place => ({ at, mechanisms: this.#asked(at, wanted) }));
    const unavailable = new Set<string>();
    try {
      for (const wave of planWaves(places, this.#proved.get(home) ?? new Set())) {
        const due = wave.filter((question) => this.#isDue(question, unavailable));
        const answers = due.map(async (question) => ({
          question,
          listing: await tally.ask(question, subject, access),
        }));
        for await (const { question, listing } of asTheyArrive(answers)) {
          if (listing === 'absent' || listing === 'refused') unavailable.add(questionKey(question));
          else if (listing !== 'fault') yield* this.#lookThrough(listing, question, progress);
        }
      }
      yield [tally.end()];
    } finally {
      if (progress.proved.size > 0) this.#proved.set(home, progress.proved);
    }
  }

  #asked(at: Repository, wanted: Wanted): DiscoveryMechanism[] {
    const configured = this.#store.mechanisms(at);
    const tags = this.#byWish.flatMap(({ wish, mechanism }) => (wanted[wish] ? [mechanism] : []));
    return [...this.#mechanisms, ...tags].filter(({ mechanism }) => configured.includes(mechanism));
  }

  /**
   * The fallback tag counts only where the API for referrers is absent, or not to be asked (distribution-spec 1.1). It is
   * looked at also where the API is refused, as old Harbors do that lack it: what is found there is found, and what
   * is not leaves the answer open.
   */
  #isDue({ mechanism, at }: Question, unavailable: ReadonlySet<string>): boolean {
    if (mechanism.mechanism !== 'FallbackTag') return true;
    const api = this.#mechanisms.find((other) => other.mechanism === 'Referrers');
    const isAsked = this.#store.mechanisms(at).includes('Referrers');
    return api === undefined || !isAsked || unavailable.has(questionKey({ mechanism: api, at }));
  }

  async *#lookThrough(
    listing: Listing,
    question: Question,
    progress: Progress,
  ): AsyncGenerator<readonly (Candidate | UnusableReferrer)[]> {
    const { mechanism, at } = question;
    const { subject, wanted, access, tally } = progress;
    if (listing.malformed.length > 0) {
      yield listing.malformed.map((problem) => unusable(mechanism.mechanism, problem));
    }
    const lookedKey = (digest: Digest): string => `${repositoryName(at)} ${digest}`;
    // What a listing showed without a subject may still be claimed by a tag.
    const isKnown = (digest: Digest): boolean =>
      progress.candidates.has(lookedKey(digest)) ||
      (!mechanism.isClaimedByTag && (digest === subject.digest || progress.looked.has(lookedKey(digest))));
    const fresh = new Map(listing.entries.map((entry) => [entry.digest, entry]));
    const ranked = rankByHints(
      [...fresh.values()].filter(({ digest }) => !isKnown(digest)),
      wanted,
    );
    // A tag's manifest came with the tag, so that a flood of referrers does not hide it.
    const { limits } = this.#store;
    const maxReferrerFetches = Math.min(limits.maxReferrerFetches, wanted.maxFetches ?? Infinity);
    const budget = mechanism.isClaimedByTag ? ranked.length : maxReferrerFetches - progress.fetches;
    const due = ranked.slice(0, Math.max(budget, 0));
    if (!mechanism.isClaimedByTag) progress.fetches += due.length;
    for await (const batch of fetchListed(this.#store, due, at, access)) {
      const events: (Candidate | UnusableReferrer)[] = [];
      for (const fetched of batch) {
        progress.looked.add(lookedKey(fetched.entry.digest));
        const event = this.#judge(fetched, question, progress);
        if (event === undefined) continue;
        if (event.kind === 'candidate') progress.candidates.add(lookedKey(event.digest));
        else if (leavesOpen(event.failure)) tally.fail(event.failure);
        events.push(event);
      }
      if (events.length > 0) yield events;
    }
    if (due.length < ranked.length) {
      tally.fail(
        failure(
          'TooManyReferrers',
          `${repositoryName(at)}: ${ranked.length - due.length} of ${ranked.length} artifacts listed for ${shortDigest(subject.digest)} were not looked at; the limit is ${maxReferrerFetches}.`,
        ),
      );
    }
  }

  /** Undefined for an index that contains the subject: that one is a parent, and no referrer. */
  #judge(
    fetched: ListedDocument,
    question: Question,
    { subject, proved }: Progress,
  ): Candidate | UnusableReferrer | undefined {
    const { mechanism, at } = question;
    const { entry } = fetched;
    if ('failure' in fetched) return unusable(mechanism.mechanism, fetched.failure, entry);
    const { document } = fetched;
    const name = `${repositoryName(at)}: artifact ${shortDigest(entry.digest)}`;
    const isReferrer = mechanism.isClaimedByTag || refersTo(document, subject.digest);
    if (!isReferrer) {
      if (document.kind === 'index' && document.manifests.some(({ digest }) => digest === subject.digest))
        return undefined;
      const why = failure('SubjectMissing', `${name} does not refer to ${shortDigest(subject.digest)}.`);
      return unusable(mechanism.mechanism, why, entry);
    }
    return toCandidate(this.#store, fetched, {
      mechanism: mechanism.mechanism,
      at,
      proved: () => proved.add(questionKey(question)),
    });
  }
}
