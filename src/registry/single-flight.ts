import { FairPlaces } from '../admission/fair-places.ts';
import type { Tenant } from '../admission/ports.ts';
import { untilAborted } from '../admission/until-aborted.ts';
import { failureCatalogue } from '../failures/catalogue.ts';
import type { FailureCode } from '../failures/catalogue.ts';
import { RefwardenError } from '../failures/failure.ts';

/** Who waits for shared work. */
export interface Caller {
  readonly tenant: Tenant;
  /** Ends its own wait only. */
  readonly signal: AbortSignal;
}

/** What shared work may know: its own bound, and whether somebody still waits for it. */
export interface SharedWork {
  /** Whose account it is on: that of its first caller. */
  readonly tenant: Tenant;
  readonly signal: AbortSignal;
  readonly isAwaited: () => boolean;
  /** To be told while it waits in a queue of ours: other tenants do not join it there. */
  readonly setQueued: (isQueued: boolean) => void;
}

interface Flight<T> {
  readonly tenant: string;
  readonly promise: Promise<T>;
  waiters: number;
  isQueued: boolean;
}

/** Refused for what one tenant asked: no answer for another that joined. */
const onAccount: ReadonlySet<FailureCode> = new Set<FailureCode>(['RequestBudgetSpent', 'Overloaded']);

/**
 * Equal keys share one piece of work, on the account of the first caller. A caller's abort ends only its own wait: the
 * work runs on, bounded by its own time, so that the next try finds the answer. Nothing is kept once the work has
 * ended. Nobody suffers from another tenant's account: work that waits in its queue, or was refused for it, is begun
 * anew.
 */
export class SingleFlight<T> {
  /** By key, and by key and tenant. */
  readonly #flights = new Map<string, Flight<T>>();
  readonly #places: FairPlaces;
  readonly #timeoutMs: number;

  constructor(maxFlights: number, timeoutMs: number) {
    this.#places = new FairPlaces(maxFlights);
    this.#timeoutMs = timeoutMs;
  }

  /**
   * @param start called at once for the first caller of the key.
   * @throws RefwardenError `DeadlineExceeded` when the caller's signal aborts, `Overloaded` past the bound, and
   *   whatever the work throws.
   */
  async run(key: string, caller: Caller, start: (work: SharedWork) => Promise<T>): Promise<T> {
    if (caller.signal.aborted) {
      throw new RefwardenError('DeadlineExceeded', failureCatalogue.DeadlineExceeded.summary);
    }
    const own = (): Flight<T> =>
      this.#flights.get(ownKey(key, caller.tenant)) ?? this.#launch(key, caller.tenant, start);
    const shared = this.#flights.get(key);
    const flight = shared === undefined || shared.isQueued ? own() : shared;
    try {
      return await this.#await(flight, caller.signal);
    } catch (thrown) {
      const isOthers = flight.tenant !== caller.tenant.name;
      if (!isOthers || !(thrown instanceof RefwardenError) || !onAccount.has(thrown.code)) throw thrown;
      return await this.#await(own(), caller.signal);
    }
  }

  async #await(flight: Flight<T>, signal: AbortSignal): Promise<T> {
    flight.waiters++;
    try {
      return await untilAborted(flight.promise, signal);
    } finally {
      flight.waiters--;
    }
  }

  #launch(key: string, tenant: Tenant, start: (work: SharedWork) => Promise<T>): Flight<T> {
    const giveBack = this.#places.take(tenant.name);
    if (giveBack === undefined) {
      throw new RefwardenError('Overloaded', 'Too many registry requests are under way.');
    }
    const controller = new AbortController();
    const timer = setTimeout(() => {
      controller.abort();
    }, this.#timeoutMs).unref();
    const work: SharedWork = {
      tenant,
      signal: controller.signal,
      isAwaited: () => flight.waiters > 0,
      setQueued: (isQueued) => {
        flight.isQueued = isQueued;
      },
    };
    const keys = [key, ownKey(key, tenant)].filter((name) => !this.#flights.has(name));
    const promise = Promise.resolve()
      .then(() => start(work))
      .finally(() => {
        clearTimeout(timer);
        giveBack();
        for (const name of keys) this.#flights.delete(name);
      });
    promise.catch(() => undefined); // its callers may all have left
    const flight: Flight<T> = { tenant: tenant.name, promise, waiters: 0, isQueued: false };
    for (const name of keys) this.#flights.set(name, flight);
    return flight;
  }
}

const ownKey = (key: string, tenant: Tenant): string => `${key}\n${tenant.name}`;
