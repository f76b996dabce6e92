import type { Clock, DiscoveryEnd, RegistryAccess, Subject } from '../admission/ports.ts';
import type { Failure } from '../failures/failure.ts';
import { toFailure } from '../failures/failure.ts';
import type { Listing } from '../oci/listing.ts';
import type { Question } from './discovery-plan.ts';

/** What one discovery relied on and could not see; its end is made of it. */
export class DiscoveryTally {
  readonly #clock: Clock;
  readonly #failures: Failure[] = [];
  #oldestAskedAtMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#oldestAskedAtMs = clock.nowMs();
  }

  /** The mechanism's listing. A fault, or a refusal, is noted, so that the other mechanisms are still asked. */
  async ask(
    { mechanism, at }: Question,
    { digest }: Subject,
    access: RegistryAccess,
  ): Promise<Listing | 'absent' | 'refused' | 'fault'> {
    try {
      const { registry, repository } = at;
      const answer = await mechanism.list({ registry, repository, digest }, access);
      this.relyOn(answer.askedAtMs);
      if (answer.kind === 'noSuchApi') return 'absent';
      for (const fault of answer.faults) this.fail(fault);
      return answer;
    } catch (thrown) {
      const why = toFailure(thrown);
      this.fail(why);
      return why.code === 'RegistryUnauthorized' ? 'refused' : 'fault';
    }
  }

  /** Notes the age of an answer. */
  relyOn(askedAtMs: number): void {
    this.#oldestAskedAtMs = Math.min(this.#oldestAskedAtMs, askedAtMs);
  }

  /** Notes why not everything was seen; the same once. */
  fail(failure: Failure): void {
    const { code, message } = failure;
    if (this.#failures.some((known) => known.code === code && known.message === message)) return;
    this.#failures.push(failure);
  }

  end(): DiscoveryEnd {
    return {
      kind: 'end',
      complete: this.#failures.length === 0,
      failures: this.#failures,
      listingAgeMs: Math.max(0, this.#clock.nowMs() - this.#oldestAskedAtMs),
    };
  }
}
