import { failureKind, toFailure, withCause } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import type { AssertionResult, Evidence, VerifiedEvidence } from '../policy/evidence.ts';
import type { CrossCheckRequirement } from '../policy/snapshot.ts';
import type { Rejection } from '../verification/verification.ts';
import type { DiscoveryEnd, UnusableReferrer } from './ports.ts';
import type { LookedAt, Miss, PassedOver } from './verdict.ts';

/** What a search for artifacts brought, for the requirements to be judged on. */
export interface Findings extends LookedAt {
  /** Why the search may have missed something; empty when it saw all. */
  readonly gaps: readonly Failure[];
  /** Of the cross-checks that could be evaluated. */
  readonly crossChecks: ReadonlyMap<CrossCheckRequirement, AssertionResult>;
  /** Age of the oldest listing that was relied on, milliseconds. */
  readonly listingAgeMs: number;
}

/** What a search finds, as it goes. */
export class FindingsLedger {
  readonly evidence: Evidence[] = [];
  readonly crossChecks = new Map<CrossCheckRequirement, AssertionResult>();
  readonly #misses: Miss[] = [];
  readonly #passedOver: PassedOver[] = [];
  readonly #gaps: Failure[] = [];
  #listingAgeMs = 0;

  leaveGap(why: Failure): void {
    this.#gaps.push(why);
  }

  /** An incomplete end always leaves at least one gap, whatever it forgot to say. */
  end({ complete, failures, listingAgeMs }: DiscoveryEnd): void {
    this.#listingAgeMs = Math.max(this.#listingAgeMs, listingAgeMs);
    if (complete) return;
    this.#gaps.push(
      ...(failures.length > 0
        ? failures
        : [toFailure(new Error('a discovery was incomplete without a reason'))]),
    );
  }

  /**
   * One bad artifact spoils no other; what could not be read, or was left out, may have been the good one.
   * @param about what it would have been good for, where that is not what it is.
   */
  reject(
    why: Rejection,
    { digest, mechanism, path }: Pick<UnusableReferrer, 'digest' | 'mechanism'> & Pick<Miss, 'path'>,
    about?: VerifiedEvidence['kind'],
  ): void {
    const kind = failureKind(why.code);
    if (kind === 'inconclusive' || kind === 'internal') {
      // Large and slow artifacts are pushed as easily as others.
      this.#gaps.push(withCause({ ...why, isOfContent: true as const }, why.cause));
      return;
    }
    this.#misses.push({
      ...why,
      mechanism,
      ...(digest === undefined ? {} : { artifact: digest }),
      ...(path === undefined ? {} : { path }),
      ...(about === undefined ? {} : { about }),
    });
  }

  /** Whether the search may have missed something so far. */
  get hasGaps(): boolean {
    return this.#gaps.length > 0;
  }

  passOver(artifact: PassedOver): void {
    this.#passedOver.push(artifact);
  }

  /** A copy: a search that was given up goes on in the background. */
  findings(): Findings {
    return {
      evidence: [...this.evidence],
      misses: [...this.#misses],
      passedOver: [...this.#passedOver],
      gaps: [...this.#gaps],
      crossChecks: new Map(this.crossChecks),
      listingAgeMs: this.#listingAgeMs,
    };
  }
}
