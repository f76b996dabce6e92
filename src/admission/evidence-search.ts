import { failure } from '../failures/failure.ts';
import { shortDigest } from '../image/digest.ts';
import type { Digest } from '../image/digest.ts';
import { repositoryName } from '../image/reference.ts';
import type { Repository } from '../image/reference.ts';
import type { AssertionSet } from '../policy/assertions.ts';
import type { Evidence, VerifiedEvidence } from '../policy/evidence.ts';
import type { ResolvedIssuer } from '../policy/resolved-issuer.ts';
import type { CrossCheckRequirement, EvidenceRequirement } from '../policy/snapshot.ts';
import { artifactKind } from './artifact-kind.ts';
import { CrossChecks } from './cross-checks.ts';
import { drainEvents } from './drain-events.ts';
import { FindingsLedger } from './findings-ledger.ts';
import { isSatisfied, requirementsOf } from './inquiry.ts';
import type { Demand, Inquiry } from './inquiry.ts';
import type { Candidate, ParentIndex, RegistryAccess, Subject, Wanted } from './ports.ts';
import { CandidateVerifier } from './verify-candidate.ts';
import type { VerifyPorts } from './verify-candidate.ts';

/** How many indexes deep an image is looked for: an index in an index is rare, and more is no image. */
const maxIndexDepth = 3;
/** Indexes of one image that are looked at, on all ways up: whoever may push can build a tower of them. */
const maxIndexes = 64;
/** Unsigned artifacts of one image whose own signatures are looked for: whoever may push can add some. */
const maxNestedSearches = 64;
/** Listed manifests fetched for indexes and unsigned artifacts of one image: for each at most, and for all together. */
const maxIndirectFetches = 16;
const maxIndirectFetchesInAll = 256;

const signaturesOnly: Wanted = { signatures: true, attestations: false, sboms: false };

/** One search under way. What it finds is in its ledger at any time. */
export class EvidenceSearch {
  readonly ledger = new FindingsLedger();
  readonly #ports: VerifyPorts;
  readonly #inquiry: Inquiry;
  readonly #image: Subject;
  readonly #access: RegistryAccess;
  readonly #verifier: CandidateVerifier;
  readonly #crossChecks: CrossChecks;
  readonly #visited = new Set<string>();
  #indexes = 0;
  #nestedSearches = 0;
  #indirectFetchesLeft = maxIndirectFetchesInAll;
  #nestedTurn: Promise<unknown> = Promise.resolve();

  constructor(ports: VerifyPorts, inquiry: Inquiry, access: RegistryAccess) {
    this.#ports = ports;
    this.#inquiry = inquiry;
    this.#image = inquiry.image;
    this.#access = access;
    this.#crossChecks = new CrossChecks(ports, inquiry, this.ledger, access);
    const ofCrossChecks = inquiry.crossChecks.flatMap(({ requirement }) => evidenceOf(requirement));
    const requirements = [...requirementsOf(inquiry.demands), ...ofCrossChecks];
    const asked = {
      issuers: issuersOf(requirements),
      assertions: assertionsOf(requirements),
      context: inquiry.context,
      keepStatements: this.#crossChecks.needStatements,
    };
    this.#verifier = new CandidateVerifier(ports, asked, access);
  }

  async run(): Promise<void> {
    const { elsewhere } = this.#inquiry;
    const { artifacts } = this.#ports;
    const events = artifacts.referrers(this.#image, this.#wanted(), this.#access, elsewhere);
    await drainEvents(this.ledger, events, async (candidate) => {
      await this.#lookInto(candidate, this.#image, []);
      return this.#open().length === 0;
    });
    if (this.#wantsIndexes()) await this.#walkUp(this.#image, []);
    await this.#crossChecks.evaluateAtEnd();
  }

  /**
   * A signature of an index counts for what the index is proven to contain; and the attestations that an index
   * holds for its child count where a signature of the index, or of themselves, vouches for them.
   */
  async #walkUp(subject: Subject, indexes: readonly Digest[]): Promise<void> {
    const { tag } = this.#inquiry.image;
    const isImage = indexes.length === 0;
    const hints = {
      ...(isImage && tag !== undefined ? { tag } : {}),
      indexTags: isImage ? this.#inquiry.indexTags : [],
    };
    const parents: ParentIndex[] = [];
    await drainEvents(
      this.ledger,
      this.#ports.artifacts.parents(subject, hints, this.#access),
      async (parent) => {
        if (this.#isVisited(parent.digest)) return false;
        if (indexes.length >= maxIndexDepth || ++this.#indexes > maxIndexes) {
          const bound = `${maxIndexDepth} deep and ${maxIndexes} in all`;
          const message = `${shortDigest(parent.digest)} and further indexes that contain the image were not looked at: at most ${bound} are.`;
          this.ledger.leaveGap(failure('TooManyReferrers', message));
          return true;
        }
        parents.push(parent);
        await this.#lookAtIndex(parent, [...indexes, parent.digest]);
        return !this.#wantsIndexes();
      },
    );
    for (const { digest } of parents) {
      if (!this.#wantsSignatures()) return;
      await this.#walkUp({ ...repositoryOf(this.#image), digest }, [...indexes, digest]);
    }
  }

  /** @param indexes the proven indexes from the image to this one. */
  async #lookAtIndex({ digest, index }: ParentIndex, indexes: readonly Digest[]): Promise<void> {
    const subject: Subject = { ...repositoryOf(this.#image), digest };
    const holdsAttestations =
      indexes.length === 1 && index.manifests.some(({ annotations }) => isAttestation(annotations));
    const wantsVoucher = (): boolean =>
      holdsAttestations &&
      issuersOf(this.#openAttestations()).some(
        ({ name }) => !this.#signaturesBy(digest).some(({ issuer }) => issuer === name),
      );
    if (!this.#wantsSignatures() && !wantsVoucher()) return;
    await this.#drainIndirect(
      subject,
      async (candidate) => {
        await this.#lookInto(candidate, subject, indexes);
        return !this.#wantsSignatures() && !wantsVoucher();
      },
      'signature',
    );
    if (!holdsAttestations || this.#openAttestations().length === 0) return;
    const attestations = this.#ports.artifacts.attestationsIn(index, this.#image, this.#access);
    await drainEvents(
      this.ledger,
      attestations,
      async (candidate) => {
        await this.#lookInto(candidate, this.#image, [], digest);
        return this.#openAttestations().length === 0;
      },
      'attestation',
    );
  }

  #signaturesBy(subject: Digest | undefined): readonly VerifiedEvidence[] {
    return this.ledger.evidence.filter((item) => item.kind === 'signature' && item.subject === subject);
  }

  /** @param holder the index that holds the candidate, so that its signatures vouch for it. */
  async #lookInto(
    candidate: Candidate,
    subject: Subject,
    indexes: readonly Digest[],
    holder?: Digest,
  ): Promise<void> {
    const { digest, repository } = candidate;
    const what = [subject.digest, repositoryName(repository), digest, holder].join(' ');
    if (this.#isVisited(what)) return;
    const subjects = [...new Set([subject.digest, this.#image.digest])];
    const { mechanism } = candidate;
    const holders = holder === undefined ? [] : [holder];
    const path = [this.#image.digest, ...indexes, ...holders, digest];
    const needs = this.#verifier.needs(candidate);
    if (needs.layers.length + needs.vouched.length + needs.skipped.length === 0) {
      this.ledger.passOver({ kind: artifactKind(candidate.manifest), mechanism, path });
      return;
    }
    const verify = async (vouchers?: readonly VerifiedEvidence[]): Promise<void> => {
      const target = { subject, subjects, ...(vouchers === undefined ? {} : { vouchers }) };
      const proven = await this.#verifier.verify(candidate, target, (why) => {
        this.ledger.reject(why, { digest, mechanism, path });
      });
      for (const { statement, ...item } of proven) {
        const evidence: Evidence = { ...item, mechanism, artifact: digest, indexes, path };
        if (statement !== undefined) this.#crossChecks.keep(evidence, statement);
        this.ledger.evidence.push(evidence);
      }
      if (proven.length === 0) return;
      candidate.proved();
      if (this.#openDemands().length === 0) await this.#crossChecks.evaluateEarly();
    };
    const isUseful = needs.vouched.length > 0 && indexes.length === 0 && this.#openAttestations().length > 0;
    if (!isUseful) {
      await verify();
      return;
    }
    const ofHolder = this.#signaturesBy(holder);
    if (ofHolder.length > 0) await verify(ofHolder);
    if (this.#openAttestations().length === 0) return;
    // One after the other: what one leaves of the bound is for the next.
    const turn = this.#nestedTurn.then(() => this.#signaturesOf(candidate, path));
    this.#nestedTurn = turn;
    const own = await turn;
    if (own.length > 0 || ofHolder.length === 0) await verify([...ofHolder, ...own]);
  }

  /** Signatures of an artifact itself (a signature of an SBOM, of a scan result): they vouch for what it holds. */
  async #signaturesOf(artifact: Candidate, path: readonly Digest[]): Promise<readonly VerifiedEvidence[]> {
    if (++this.#nestedSearches > maxNestedSearches) {
      const message = `More than ${maxNestedSearches} unsigned artifacts were found; signatures of the rest were not looked for.`;
      this.ledger.leaveGap(failure('TooManyReferrers', message));
      return [];
    }
    const subject: Subject = { ...artifact.repository, digest: artifact.digest };
    const trusted = new Set(issuersOf(this.#openAttestations()).map(({ name }) => name));
    const found: VerifiedEvidence[] = [];
    const target = { subject, subjects: [subject.digest] };
    await this.#drainIndirect(
      subject,
      async (candidate) => {
        const proven = await this.#verifier.verify(candidate, target, (why) => {
          const { digest, mechanism } = candidate;
          this.ledger.reject(why, { digest, mechanism, path: [...path, digest] }, 'attestation');
        });
        found.push(...proven.filter(({ kind }) => kind === 'signature'));
        return found.some(({ issuer }) => trusted.has(issuer));
      },
      'attestation',
    );
    return found;
  }

  /** The signatures of what is not the image itself, within what all of those may cost together. */
  async #drainIndirect(
    subject: Subject,
    visit: (candidate: Candidate) => Promise<boolean>,
    about: VerifiedEvidence['kind'],
  ): Promise<void> {
    const maxFetches = Math.min(maxIndirectFetches, this.#indirectFetchesLeft);
    this.#indirectFetchesLeft -= maxFetches;
    let fetches = 0;
    const wanted = { ...signaturesOnly, maxFetches };
    const events = this.#ports.artifacts.referrers(subject, wanted, this.#access, this.#inquiry.elsewhere);
    await drainEvents(
      this.ledger,
      events,
      async (candidate: Candidate) => {
        fetches++;
        return await visit(candidate);
      },
      about,
    );
    this.#indirectFetchesLeft += Math.max(0, maxFetches - fetches);
  }

  /** Whether it was there before, too. */
  #isVisited(what: string): boolean {
    if (this.#visited.has(what)) return true;
    this.#visited.add(what);
    return false;
  }

  #wanted(): Wanted {
    const open = this.#open();
    const attestations = open.filter(({ kind }) => kind !== 'signature');
    return {
      signatures: open.some(({ kind }) => kind === 'signature'),
      attestations: attestations.length > 0,
      sboms: open.some(({ kind }) => kind === 'sbom'),
      predicateTypes: attestations.flatMap((requirement) =>
        requirement.kind === 'attestation' ? [requirement.predicateType] : [],
      ),
    };
  }

  #wantsSignatures(): boolean {
    return this.#open().some(
      (requirement) => requirement.kind === 'signature' && requirement.inheritFromIndex,
    );
  }

  #wantsIndexes(): boolean {
    return this.#wantsSignatures() || this.#openAttestations().length > 0;
  }

  #openAttestations(): readonly EvidenceRequirement[] {
    return this.#open().filter(({ kind }) => kind !== 'signature');
  }

  #openDemands(): readonly Demand[] {
    const nowMs = this.#ports.clock.nowMs();
    const { evidence } = this.ledger;
    return this.#inquiry.demands.filter(
      (demand) => !isSatisfied(demand, evidence, this.#image.digest, nowMs),
    );
  }

  /** What further evidence may still help with; for a cross-check that is more of what it already has. */
  #open(): readonly EvidenceRequirement[] {
    const ofCrossChecks = this.#crossChecks.open.flatMap(evidenceOf);
    return [...new Set([...requirementsOf(this.#openDemands()), ...ofCrossChecks])];
  }
}

const evidenceOf = ({ over }: CrossCheckRequirement): EvidenceRequirement[] =>
  over.flatMap(({ alternatives }) => alternatives);

const repositoryOf = ({ registry, repository }: Repository): Repository => ({ registry, repository });

const isAttestation = (annotations: Readonly<Record<string, string>>): boolean =>
  annotations['vnd.docker.reference.type'] === 'attestation-manifest';

function assertionsOf(requirements: readonly EvidenceRequirement[]): AssertionSet[] {
  const sets = requirements.flatMap((requirement) =>
    requirement.kind === 'signature' ? [] : (requirement.assertions ?? []),
  );
  return [...new Map(sets.map((set) => [set.fingerprint, set])).values()];
}

function issuersOf(requirements: readonly EvidenceRequirement[]): ResolvedIssuer[] {
  const issuers = requirements.flatMap((requirement) => requirement.issuers);
  return [...new Map(issuers.map((issuer) => [issuer.name, issuer])).values()];
}
