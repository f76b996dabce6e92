import { MeteredCache } from '../admission/metered-cache.ts';
import type { CacheCounts } from '../admission/metered-cache.ts';
import type { Clock } from '../admission/ports.ts';
import { untilAborted } from '../admission/until-aborted.ts';
import { RefwardenError } from '../failures/failure.ts';

/** What an entry takes beside its bytes: a URL has up to 2 KiB. */
const entryBytes = 4 * 1024;
/** How long a failure, or an answer that nobody has confirmed, is believed, milliseconds. */
const briefMs = 30_000;
/** How long an answer is believed before it is asked for again: authorities revoke before nextUpdate, milliseconds. */
const freshMs = 60 * 60_000;

export interface AnswerBounds {
  /** Different answers that are asked for at the same time. */
  readonly maxFlights: number;
  /** All that are kept. */
  readonly maxBytes: number;
}

interface Entry {
  readonly outcome: Uint8Array | RefwardenError;
  /** Until then it is not asked for again. */
  readonly freshUntilMs: number;
  /** Until then it stands in when asking again fails. */
  readonly untilMs: number;
}

/** Answers by key: kept by their validity, and equal requests in flight shared. */
export class AnswerCache {
  readonly #entries: MeteredCache<Entry>;
  readonly #flights = new Map<string, Promise<Uint8Array>>();
  readonly #maxFlights: number;
  readonly #clock: Clock;

  constructor(name: string, { maxFlights, maxBytes }: AnswerBounds, clock: Clock) {
    this.#maxFlights = maxFlights;
    this.#clock = clock;
    this.#entries = new MeteredCache<Entry>(name, {
      maxBytes,
      sizeOf: ({ outcome }) => (outcome instanceof RefwardenError ? 0 : outcome.byteLength) + entryBytes,
    });
  }

  /**
   * @param signal ends the caller's own wait only.
   * @param ask bounds its own time.
   * @throws RefwardenError `Overloaded`, `DeadlineExceeded`, and what asking throws.
   */
  async answer(
    key: string,
    signal: AbortSignal | undefined,
    ask: () => Promise<Uint8Array>,
  ): Promise<Uint8Array> {
    const known = this.#entries.read(key, ({ freshUntilMs }) => this.#clock.nowMs() < freshUntilMs);
    if (known?.outcome instanceof RefwardenError) throw known.outcome;
    if (known !== undefined) return known.outcome;
    const flight = this.#flights.get(key) ?? this.#launch(key, ask);
    return await (signal === undefined ? flight : untilAborted(flight, signal));
  }

  /** The answer was verified: it is kept for as long as it says that it counts. */
  confirm(key: string, untilMs: number): void {
    const entry = this.#entries.peek(key);
    const nowMs = this.#clock.nowMs();
    // Confirmed again, a kept answer is no fresher than it was.
    if (entry === undefined || entry.outcome instanceof RefwardenError || entry.untilMs > nowMs + briefMs)
      return;
    this.#entries.set(key, { ...entry, untilMs, freshUntilMs: Math.min(untilMs, nowMs + freshMs) });
  }

  counts(): CacheCounts {
    return this.#entries.counts();
  }

  #launch(key: string, ask: () => Promise<Uint8Array>): Promise<Uint8Array> {
    if (this.#flights.size >= this.#maxFlights) {
      throw new RefwardenError('Overloaded', 'Too many revocation services are being asked.');
    }
    const flight = this.#ask(key, ask).finally(() => this.#flights.delete(key));
    flight.catch(() => undefined); // its callers may all have left
    this.#flights.set(key, flight);
    return flight;
  }

  async #ask(key: string, ask: () => Promise<Uint8Array>): Promise<Uint8Array> {
    try {
      const outcome = await ask();
      this.#keepBriefly(key, outcome);
      return outcome;
    } catch (thrown) {
      const before = this.#entries.peek(key);
      const nowMs = this.#clock.nowMs();
      if (before === undefined || before.outcome instanceof RefwardenError || before.untilMs <= nowMs) {
        if (thrown instanceof RefwardenError) this.#keepBriefly(key, thrown);
        throw thrown;
      }
      this.#entries.set(key, { ...before, freshUntilMs: Math.min(before.untilMs, nowMs + briefMs) });
      return before.outcome;
    }
  }

  #keepBriefly(key: string, outcome: Uint8Array | RefwardenError): void {
    const untilMs = this.#clock.nowMs() + briefMs;
    this.#entries.set(key, { outcome, untilMs, freshUntilMs: untilMs });
  }
}
