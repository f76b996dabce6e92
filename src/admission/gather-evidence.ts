import { failure, failureKind, toFailure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import type { Digest } from '../image/digest.ts';
import { evaluateRequirement } from '../policy/evaluate.ts';
import type { Evidence } from '../policy/evidence.ts';
import type { ResolvedIssuer } from '../policy/resolved-issuer.ts';
import type { EvidenceRequirement } from '../policy/snapshot.ts';
import type { ByteBudget } from './byte-budget.ts';
import type { ArtifactNeeds, Rejection, Verifier } from '../verification/verification.ts';
import type {
  ArtifactSource,
  Candidate,
  Clock,
  DiscoveryEnd,
  RegistryAccess,
  Subject,
  UnusableReferrer,
  Wanted,
} from './ports.ts';
import { untilAborted } from './until-aborted.ts';
import type { Miss } from './verdict.ts';

/** Most signatures and attestations verified for one image: each costs CPU, and whoever may push can add some. */
const maxSignaturesPerImage = 512;
/** Most layers of one artifact that are fetched at once. */
const layerConcurrency = 8;

/** What a search for artifacts brought, for the requirements to be judged on. */
export interface Findings {
  readonly evidence: readonly Evidence[];
  /** What was found and did not count. */
  readonly misses: readonly Miss[];
  /** Why the search may have missed something; empty when it saw all. */
  readonly gaps: readonly Failure[];
  /** Age of the oldest listing that was relied on, milliseconds. */
  readonly listingAgeMs: number;
}

export interface GatherPorts {
  readonly artifacts: ArtifactSource;
  readonly verifier: Verifier;
  readonly clock: Clock;
  /** One for the whole process. */
  readonly budget: ByteBudget;
}

/**
 * Asks for what refers to the image until every requirement is satisfied, then stops; otherwise looks at
 * everything, and then at the indexes that contain the image when a requirement lets a signature be inherited.
 * Faults, and the end of the caller's time, become gaps: what was proven before stands. Never throws.
 */
export async function gatherEvidence(
  ports: GatherPorts,
  image: Subject,
  requirements: readonly EvidenceRequirement[],
  access: RegistryAccess,
): Promise<Findings> {
  const search = new Search(ports, image, requirements, access);
  await untilAborted(search.run(), access.signal).catch((error: unknown) => {
    search.leaveGap(toFailure(error));
  });
  return search.findings();
}

class Search {
  readonly #ports: GatherPorts;
  readonly #image: Subject;
  readonly #requirements: readonly EvidenceRequirement[];
  readonly #access: RegistryAccess;
  readonly #issuers: readonly ResolvedIssuer[];
  readonly #wanted: Wanted;
  readonly #evidence: Evidence[] = [];
  readonly #misses: Miss[] = [];
  readonly #gaps: Failure[] = [];
  readonly #visited = new Set<string>();
  #listingAgeMs = 0;
  #signatures = 0;

  constructor(
    ports: GatherPorts,
    image: Subject,
    requirements: readonly EvidenceRequirement[],
    access: RegistryAccess,
  ) {
    this.#ports = ports;
    this.#image = image;
    this.#requirements = requirements;
    this.#access = access;
    this.#issuers = [
      ...new Map(
        requirements.flatMap(({ issuers }) => issuers).map((issuer) => [issuer.name, issuer]),
      ).values(),
    ];
    this.#wanted = {
      signatures: requirements.some(({ kind }) => kind === 'signature'),
      attestations: requirements.some(({ kind }) => kind !== 'signature'),
    };
  }

  async run(): Promise<void> {
    await this.lookAt(this.#image, []);
    if (this.wantsIndexes()) await this.walkUp();
  }

  /** A copy: a search that was given up goes on in the background. */
  findings(): Findings {
    return {
      evidence: [...this.#evidence],
      misses: [...this.#misses],
      gaps: [...this.#gaps],
      listingAgeMs: this.#listingAgeMs,
    };
  }

  leaveGap(why: Failure): void {
    this.#gaps.push(why);
  }

  wantsIndexes(): boolean {
    return this.#open().some(
      (requirement) => requirement.kind === 'signature' && requirement.inheritFromIndex,
    );
  }

  /** @param indexes the proven indexes between the image and the subject. */
  async lookAt(subject: Subject, indexes: readonly Digest[]): Promise<void> {
    const wanted = indexes.length === 0 ? this.#wanted : { signatures: true, attestations: false };
    await this.#drain(this.#ports.artifacts.referrers(subject, wanted, this.#access), async (event) => {
      if (event.kind === 'unusable') this.#reject(event.failure, event);
      else await this.#lookInto(event, subject, indexes);
      return indexes.length === 0 ? this.#open().length === 0 : !this.wantsIndexes();
    });
  }

  /** One hop: a signature of an index counts for what the index is proven to contain. */
  async walkUp(): Promise<void> {
    await this.#drain(this.#ports.artifacts.parents(this.#image, this.#access), async (event) => {
      if (event.kind === 'unusable') this.#reject(event.failure, event);
      else await this.lookAt({ ...this.#image, digest: event.digest }, [event.digest]);
      return !this.wantsIndexes();
    });
  }

  /** A stream that does not say that it is complete leaves a gap. */
  async #drain<T extends { readonly kind: string }>(
    events: AsyncIterable<T | DiscoveryEnd>,
    visit: (event: Exclude<T, DiscoveryEnd>) => Promise<boolean>,
  ): Promise<void> {
    let ended = false;
    try {
      for await (const event of events) {
        if (isEnd(event)) {
          ended = true;
          this.#listingAgeMs = Math.max(this.#listingAgeMs, event.listingAgeMs);
          if (!event.complete) this.#gaps.push(...nonEmpty(event.failures));
        } else if (await visit(event as Exclude<T, DiscoveryEnd>)) {
          return;
        }
      }
    } catch (error) {
      this.#gaps.push(toFailure(error));
      return;
    }
    if (!ended) this.#gaps.push(toFailure(new Error('a discovery ended without saying so')));
  }

  async #lookInto(candidate: Candidate, subject: Subject, indexes: readonly Digest[]): Promise<void> {
    if (this.#visited.has(`${subject.digest} ${candidate.digest}`)) return;
    this.#visited.add(`${subject.digest} ${candidate.digest}`);
    try {
      const needs = this.#ports.verifier.needs(candidate.manifest);
      for (const why of needs.skipped) this.#reject(why, candidate);
      if (needs.layers.length === 0) return;
      this.#signatures += needs.layers.length;
      if (this.#signatures > maxSignaturesPerImage) {
        const message = `More than ${maxSignaturesPerImage} signatures and attestations were found; the rest was not verified.`;
        this.#gaps.push(failure('TooManyReferrers', message));
        return;
      }
      const bytes = needs.layers.reduce((sum, { size }) => sum + size, 0);
      const release = await this.#ports.budget.reserve(bytes, this.#access.signal);
      try {
        await this.#verify(candidate, needs, subject, indexes);
      } finally {
        release();
      }
    } catch (error) {
      this.#reject(toFailure(error), candidate);
    }
  }

  async #verify(
    candidate: Candidate,
    needs: ArtifactNeeds,
    subject: Subject,
    indexes: readonly Digest[],
  ): Promise<void> {
    const { artifacts, verifier, clock } = this.#ports;
    const layers = await this.#fetchLayers(candidate, needs);
    const { evidence, rejections } = await verifier.verify({
      artifact: { digest: candidate.digest, manifest: candidate.manifest },
      layers,
      subjects:
        subject.digest === this.#image.digest ? [subject.digest] : [subject.digest, this.#image.digest],
      ...(needs.subjectDocument
        ? { subjectDocument: await artifacts.fetchDocument(subject, this.#access) }
        : {}),
      issuers: this.#issuers,
      nowMs: clock.nowMs(),
    });
    const path = [this.#image.digest, ...indexes, candidate.digest];
    const { mechanism, digest: artifact } = candidate;
    this.#evidence.push(...evidence.map((item) => ({ ...item, mechanism, artifact, path })));
    for (const rejection of rejections) this.#reject(rejection, candidate);
  }

  /** Layers that cannot be had are reported and left out; the others may still hold a good signature. */
  async #fetchLayers(
    candidate: Candidate,
    { layers: needed }: ArtifactNeeds,
  ): Promise<Map<Digest, Uint8Array>> {
    const layers = new Map<Digest, Uint8Array>();
    for (let i = 0; i < needed.length; i += layerConcurrency) {
      await Promise.all(
        needed.slice(i, i + layerConcurrency).map(async (layer) => {
          try {
            layers.set(layer.digest, await candidate.fetchLayer(layer, this.#access));
          } catch (error) {
            this.#reject(toFailure(error), candidate);
          }
        }),
      );
    }
    return layers;
  }

  /** One bad artifact spoils no other; what could not be read, or was left out, may have been the good one. */
  #reject(why: Rejection, { digest, mechanism }: Pick<UnusableReferrer, 'digest' | 'mechanism'>): void {
    const kind = failureKind(why.code);
    if (kind === 'inconclusive' || kind === 'internal') this.#gaps.push(why);
    else this.#misses.push({ ...why, mechanism, ...(digest === undefined ? {} : { artifact: digest }) });
  }

  #open(): readonly EvidenceRequirement[] {
    const nowMs = this.#ports.clock.nowMs();
    return this.#requirements.filter(
      (requirement) => !evaluateRequirement(requirement, this.#evidence, this.#image.digest, nowMs).satisfied,
    );
  }
}

const isEnd = (event: { readonly kind: string }): event is DiscoveryEnd => event.kind === 'end';

/** An incomplete end always leaves at least one gap, whatever it forgot to say. */
const nonEmpty = (failures: readonly Failure[]): readonly Failure[] =>
  failures.length > 0 ? failures : [toFailure(new Error('a discovery was incomplete without a reason'))];
