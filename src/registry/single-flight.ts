import { untilAborted } from '../admission/until-aborted.ts';
import { failureCatalogue } from '../failures/catalogue.ts';
import { RefwardenError } from '../failures/failure.ts';

/** What shared work may know: its own bound, and whether somebody still waits for it. */
export interface SharedWork {
  readonly signal: AbortSignal;
  isAwaited(): boolean;
}

interface Flight<T> {
  readonly promise: Promise<T>;
  waiters: number;
}

/**
 * Equal keys share one piece of work. A caller's abort ends only its own wait: the work runs on, bounded by its
 * own time, so that the next try finds the answer. Nothing is kept once the work has ended.
 */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Flight<T>>();
  readonly #maxFlights: number;
  readonly #timeoutMs: number;

  constructor(maxFlights: number, timeoutMs: number) {
    this.#maxFlights = maxFlights;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * @param start called at once for the first caller of the key.
   * @throws RefwardenError `DeadlineExceeded` when the caller's signal aborts, `Overloaded` past the bound, and
   *   whatever the work throws.
   */
  async run(key: string, signal: AbortSignal, start: (work: SharedWork) => Promise<T>): Promise<T> {
    if (signal.aborted) {
      throw new RefwardenError('DeadlineExceeded', failureCatalogue.DeadlineExceeded.summary);
    }
    const flight = this.#flights.get(key) ?? this.#launch(key, start);
    flight.waiters++;
    try {
      return await untilAborted(flight.promise, signal);
    } finally {
      flight.waiters--;
    }
  }

  #launch(key: string, start: (work: SharedWork) => Promise<T>): Flight<T> {
    if (this.#flights.size >= this.#maxFlights) {
      throw new RefwardenError('Overloaded', 'Too many registry requests are under way.');
    }
    const controller = new AbortController();
    const timer = setTimeout(() => {
      controller.abort();
    }, this.#timeoutMs).unref();
    const work: SharedWork = { signal: controller.signal, isAwaited: () => flight.waiters > 0 };
    const promise = Promise.resolve()
      .then(() => start(work))
      .finally(() => {
        clearTimeout(timer);
        this.#flights.delete(key);
      });
    promise.catch(() => undefined); // its callers may all have left
    const flight: Flight<T> = { promise, waiters: 0 };
    this.#flights.set(key, flight);
    return flight;
  }
}
