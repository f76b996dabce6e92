import { LRUCache } from 'lru-cache';
import type {
  Candidate,
  ReferrerEvent,
  RegistryAccess,
  Subject,
  UnusableReferrer,
  Wanted,
} from '../admission/ports.ts';
import { failure } from '../failures/failure.ts';
import type { Digest } from '../image/digest.ts';
import { shortDigest } from '../image/digest.ts';
import { repositoryName } from '../image/reference.ts';
import { refersTo } from '../oci/manifest.ts';
import type { Listing } from '../registry/listing.ts';
import type { RegistryClient } from '../registry/registry-client.ts';
import { createCosignTag } from './cosign-tags.ts';
import type { DiscoveryMechanism } from './discovery-mechanism.ts';
import { DiscoveryTally } from './discovery-tally.ts';
import { createFallbackTag } from './fallback-tag.ts';
import { fetchListed, leavesOpen, unusable } from './listed-document.ts';
import type { ListedDocument } from './listed-document.ts';
import { rankByHints } from './rank-hints.ts';
import { createReferencesApi } from './references-api.ts';
import { createReferrersApi } from './referrers-api.ts';

/** What one discovery has looked at. */
interface Progress {
  readonly candidates: Set<Digest>;
  readonly looked: Set<Digest>;
  fetches: number;
}

/** The union of what all mechanisms list, asked one after another for as long as the consumer wants more. */
export class ReferrerDiscovery {
  readonly #client: RegistryClient;
  readonly #references: DiscoveryMechanism;
  readonly #referrers: DiscoveryMechanism;
  readonly #fallbackTag: DiscoveryMechanism;
  readonly #signatureTag: DiscoveryMechanism;
  readonly #attestationTag: DiscoveryMechanism;
  /** The mechanism that last satisfied a repository. */
  readonly #satisfied: LRUCache<string, DiscoveryMechanism>;

  constructor(client: RegistryClient) {
    this.#client = client;
    this.#references = createReferencesApi(client);
    this.#referrers = createReferrersApi(client);
    this.#fallbackTag = createFallbackTag(client);
    this.#signatureTag = createCosignTag(client, 'sig');
    this.#attestationTag = createCosignTag(client, 'att');
    this.#satisfied = new LRUCache({ max: client.limits.maxRemembered });
  }

  async *discover(subject: Subject, wanted: Wanted, access: RegistryAccess): AsyncGenerator<ReferrerEvent> {
    const tally = new DiscoveryTally(this.#client.clock);
    const progress: Progress = { candidates: new Set(), looked: new Set([subject.digest]), fetches: 0 };
    let found: DiscoveryMechanism | undefined;
    let isFallbackDue = !this.#client.mechanisms(subject.registry).includes('Referrers');
    try {
      for (const mechanism of this.#plan(subject, wanted)) {
        if (mechanism === this.#fallbackTag && !isFallbackDue) continue;
        const listing = await tally.ask(mechanism, subject, access);
        if (mechanism === this.#referrers && listing === 'absent') isFallbackDue = true;
        if (listing === 'absent' || listing === 'fault') continue;
        for await (const event of this.#lookThrough(listing, mechanism, subject, progress, tally, access)) {
          found = event.kind === 'candidate' ? mechanism : undefined;
          yield event;
        }
      }
      found = undefined;
      yield tally.end();
    } finally {
      // Still set when the consumer left right after a candidate: that one was enough.
      if (found !== undefined) this.#satisfied.set(repositoryName(subject), found);
    }
  }

  /**
   * The order of asking. Where the API for referrers is absent, cosign's tag comes before the fallback tag: it costs
   * one request less. The fallback tag never comes before the API whose absence makes it count.
   */
  #plan(subject: Subject, wanted: Wanted): DiscoveryMechanism[] {
    const configured = this.#client.mechanisms(subject.registry);
    const plan = [
      this.#references,
      this.#referrers,
      ...(wanted.signatures ? [this.#signatureTag] : []),
      ...(wanted.attestations ? [this.#attestationTag] : []),
      this.#fallbackTag,
    ].filter(({ mechanism }) => configured.includes(mechanism));
    const first = this.#satisfied.get(repositoryName(subject));
    const preferred = first === this.#fallbackTag ? [this.#referrers, this.#fallbackTag] : [first];
    return [
      ...plan.filter((mechanism) => preferred.includes(mechanism)),
      ...plan.filter((mechanism) => !preferred.includes(mechanism)),
    ];
  }

  async *#lookThrough(
    listing: Listing,
    mechanism: DiscoveryMechanism,
    subject: Subject,
    progress: Progress,
    tally: DiscoveryTally,
    access: RegistryAccess,
  ): AsyncGenerator<Candidate | UnusableReferrer> {
    for (const problem of listing.malformed) yield unusable(mechanism.mechanism, problem);
    // What a listing showed without a subject may still be claimed by a tag.
    const known = mechanism.isClaimedByTag ? progress.candidates : progress.looked;
    const fresh = new Map(listing.entries.map((entry) => [entry.digest, entry]));
    for (const digest of known) fresh.delete(digest);
    const ranked = rankByHints([...fresh.values()]);
    // A tag's manifest came with the tag, so that a flood of referrers does not hide it.
    const { maxReferrerFetches } = this.#client.limits;
    const budget = mechanism.isClaimedByTag ? ranked.length : maxReferrerFetches - progress.fetches;
    const due = ranked.slice(0, budget);
    for await (const fetched of fetchListed(this.#client, due, subject, access)) {
      progress.looked.add(fetched.entry.digest);
      if (!mechanism.isClaimedByTag) progress.fetches++;
      const event = this.#judge(fetched, mechanism, subject);
      if (event === undefined) continue;
      if (event.kind === 'candidate') progress.candidates.add(event.digest);
      else if (leavesOpen(event.failure)) tally.fail(event.failure);
      yield event;
    }
    if (due.length < ranked.length) {
      tally.fail(
        failure(
          'TooManyReferrers',
          `${repositoryName(subject)}: ${ranked.length - due.length} of ${ranked.length} artifacts listed for ${shortDigest(subject.digest)} were not looked at; the limit is ${maxReferrerFetches}.`,
        ),
      );
    }
  }

  /** Undefined for an index that contains the subject: that one is a parent, and no referrer. */
  #judge(
    fetched: ListedDocument,
    mechanism: DiscoveryMechanism,
    subject: Subject,
  ): Candidate | UnusableReferrer | undefined {
    const { entry } = fetched;
    if ('failure' in fetched) return unusable(mechanism.mechanism, fetched.failure, entry);
    const { document } = fetched;
    const name = `${repositoryName(subject)}: artifact ${shortDigest(entry.digest)}`;
    const isReferrer = mechanism.isClaimedByTag || refersTo(document, subject.digest);
    if (!isReferrer) {
      if (document.kind === 'index' && document.manifests.some(({ digest }) => digest === subject.digest))
        return undefined;
      const why = failure('SubjectMissing', `${name} does not refer to ${shortDigest(subject.digest)}.`);
      return unusable(mechanism.mechanism, why, entry);
    }
    if (document.kind === 'index') {
      const why = failure('FormatUnsupported', `${name} is an index; signatures are read from manifests.`);
      return unusable(mechanism.mechanism, why, entry);
    }
    return {
      kind: 'candidate',
      mechanism: mechanism.mechanism,
      digest: entry.digest,
      manifest: document,
      fetchLayer: (layer, layerAccess) => this.#client.fetchBlob(subject, layer, layerAccess),
    };
  }
}
