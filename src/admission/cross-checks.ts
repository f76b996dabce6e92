import { createHash } from 'node:crypto';
import { toFailure } from '../failures/failure.ts';
import { evaluateRequirement } from '../policy/evaluate.ts';
import { signerGroups } from '../policy/signer-groups.ts';
import type { AssertionResult, Evidence } from '../policy/evidence.ts';
import type { CrossCheckRequirement } from '../policy/snapshot.ts';
import type { ProvenEvidence, VerificationCaller } from '../verification/verification.ts';
import type { FindingsLedger } from './findings-ledger.ts';
import type { Inquiry } from './inquiry.ts';
import type { VerifyPorts } from './verify-candidate.ts';

/** Most times that one search evaluates before it has seen all: each costs the parsing of what it reads. */
const maxEarlyRounds = 8;

/** The cross-checks of one search: evaluated on what satisfies the requirements of their policy, and nothing else. */
export class CrossChecks {
  readonly #ports: VerifyPorts;
  readonly #inquiry: Inquiry;
  readonly #ledger: FindingsLedger;
  readonly #caller: VerificationCaller;
  readonly #statements = new WeakMap<Evidence, Uint8Array>();
  /** What each was last evaluated on. */
  readonly #seen = new Map<CrossCheckRequirement, number>();
  #rounds = 0;

  constructor(ports: VerifyPorts, inquiry: Inquiry, ledger: FindingsLedger, caller: VerificationCaller) {
    this.#ports = ports;
    this.#inquiry = inquiry;
    this.#ledger = ledger;
    this.#caller = caller;
  }

  /** Whether evidence has to come with its statements. */
  get needStatements(): boolean {
    return this.#inquiry.crossChecks.some(({ requirement: { uses } }) =>
      uses.some((root) => ofContent.has(root)),
    );
  }

  keep(evidence: Evidence, statement: Uint8Array): void {
    this.#statements.set(evidence, statement);
  }

  /** Those that do not hold so far. */
  get open(): readonly CrossCheckRequirement[] {
    return this.#inquiry.crossChecks
      .map(({ requirement }) => requirement)
      .filter((requirement) => this.#ledger.crossChecks.get(requirement)?.holds !== true);
  }

  /** Evaluates those that one more attestation can only help: what reads all that was found waits for the end. */
  async evaluateEarly(): Promise<void> {
    const due = this.open.filter(
      (requirement) => !readsAll(requirement) && this.#seen.get(requirement) !== this.#ledger.evidence.length,
    );
    if (due.length === 0 || ++this.#rounds > maxEarlyRounds) return;
    for (const requirement of due) await this.#evaluate(requirement);
  }

  /** A search that may have missed something says nothing of a check that reads all. */
  async evaluateAtEnd(): Promise<void> {
    for (const requirement of this.open) {
      const isPartial = readsAll(requirement) && this.#ledger.hasGaps;
      const isDone = this.#seen.get(requirement) === this.#ledger.evidence.length;
      if (!isPartial && !isDone) await this.#evaluate(requirement);
    }
  }

  async #evaluate(requirement: CrossCheckRequirement): Promise<void> {
    const { evidence, crossChecks } = this.#ledger;
    this.#seen.set(requirement, evidence.length);
    crossChecks.set(requirement, await this.#ask(requirement, [...evidence]));
  }

  async #ask(requirement: CrossCheckRequirement, evidence: readonly Evidence[]): Promise<AssertionResult> {
    const { image, context, isByDigest, metAbove } = this.#inquiry;
    const nowMs = this.#ports.clock.nowMs();
    const counting = new Set<Evidence>();
    for (const each of requirement.over) {
      const { alternatives, orPinned } = each;
      const evaluations = alternatives.map((alternative) =>
        evaluateRequirement(alternative, evidence, image.digest, nowMs),
      );
      const met = evaluations.filter((evaluation) => evaluation.satisfied);
      for (const item of met.flatMap((evaluation) => evaluation.evidence)) counting.add(item);
      // Over nothing an expression may well be true: what the children of an index meet is checked of them.
      const [unmet] = evaluations.flatMap((evaluation) => (evaluation.satisfied ? [] : [evaluation.failure]));
      const isMetElsewhere = (orPinned && isByDigest) || metAbove?.has(each) === true;
      if (met.length === 0 && unmet !== undefined && !isMetElsewhere) return { holds: false, failure: unmet };
    }
    const seen = distinct(
      [...counting].map((item): ProvenEvidence => {
        const statement = this.#statements.get(item);
        return statement === undefined ? item : { ...item, statement };
      }),
    );
    try {
      const request = {
        checks: requirement.checks,
        uses: requirement.uses,
        context,
        signatures: seen.filter(({ kind }) => kind === 'signature'),
        attestations: seen.filter(({ kind }) => kind === 'attestation'),
        nowMs,
      };
      return await this.#ports.verifier.crossCheck(request, this.#caller);
    } catch (thrown) {
      return { holds: false, failure: toFailure(thrown) };
    }
  }
}

/** Copies say nothing new, and anybody can push them: each statement of a signer counts once. */
function distinct(evidence: readonly ProvenEvidence[]): readonly ProvenEvidence[] {
  const groupOf = signerGroups(evidence.map(({ signer }) => signer));
  const keyOf = ({ kind, issuer, signer, subject, statement }: ProvenEvidence): string =>
    JSON.stringify([kind, issuer, groupOf(signer), subject, statement && sha256(statement)]);
  return [...new Map(evidence.map((item) => [keyOf(item), item])).values()];
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const ofContent: ReadonlySet<string> = new Set([
  'attestations',
  'sbom',
  'provenance',
  'vulnerabilities',
  'vex',
]);

/** More evidence may turn it either way. */
const readsAll = ({ uses }: CrossCheckRequirement): boolean =>
  uses.includes('signatures') || uses.includes('attestations');
