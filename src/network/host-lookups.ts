import { lookup as systemLookup } from 'node:dns';
import type { LookupAddress } from 'node:dns';
import { LRUCache } from 'lru-cache';
import { RefwardenError } from '../failures/failure.ts';

/** As `dns.lookup` with `all`: every address of a host name. */
export type ResolveHost = (
  hostname: string,
  done: (error: Error | null, addresses: LookupAddress[]) => void,
) => void;

/** Addresses are believed for so long without asking again, milliseconds. */
const freshMs = 30_000;
/** And for so long when there is no answer, milliseconds. */
const staleMs = 3_600_000;
/** An answer is waited for this long where addresses of before are at hand, milliseconds. */
const patienceMs = 500;
/** Longest wait for a look-up to begin, milliseconds: less than a connection may take, so that it says what it waited for. */
const maxQueueMs = 2000;
/** Names that wait. */
const maxWaiting = 1000;
/** Names of which the addresses are remembered. */
const maxKnown = 10_000;
/** Names that never had an answer take at most this part of all look-ups under way. */
const unknownPart = 3 / 4;

type Done = Parameters<ResolveHost>[1];

interface LookUp {
  readonly isKnown: boolean;
  readonly waiters: Set<Done>;
}

interface Known {
  readonly addresses: LookupAddress[];
  readonly atMs: number;
}

/**
 * Look-ups of host names. Each of the system's takes a thread until a name server answers or it gives up, which may be
 * half a minute, and there are few: names whose servers are silent must not keep those waiting that answered before.
 */
export class HostLookups {
  readonly #resolve: ResolveHost;
  readonly #maxActive: number;
  readonly #maxUnknown: number;
  readonly #known = new LRUCache<string, Known>({ max: maxKnown });
  readonly #active = new Map<string, LookUp>();
  /** First come, first served; those that answered before go first. */
  readonly #waiting = new Map<string, LookUp>();

  /** @param maxActive look-ups under way at the same time. */
  constructor(resolve: ResolveHost, maxActive: number) {
    this.#resolve = resolve;
    this.#maxActive = maxActive;
    this.#maxUnknown = Math.max(1, Math.floor(maxActive * unknownPart));
  }

  /** Fails with `Overloaded` when it cannot begin in time. */
  readonly lookUp: ResolveHost = (hostname, done) => {
    const known = this.#known.get(hostname);
    const ageMs = known === undefined ? Infinity : performance.now() - known.atMs;
    if (known !== undefined && ageMs < freshMs) {
      setImmediate(done, null, known.addresses);
      return;
    }
    const stale = ageMs < staleMs ? known?.addresses : undefined;
    const finish: Done = (error, addresses) => {
      clearTimeout(timer);
      lookUp?.waiters.delete(finish);
      if (lookUp?.waiters.size === 0 && this.#waiting.get(hostname) === lookUp)
        this.#waiting.delete(hostname);
      // The name is known not to exist any more, or its servers fail.
      const isGone = error !== null && 'code' in error && error.code === 'ENOTFOUND';
      if (error !== null && !isGone && stale !== undefined) done(null, stale);
      else done(error, addresses);
    };
    const timer = setTimeout(
      () => {
        if (stale !== undefined || this.#waiting.get(hostname) === lookUp) finish(overloaded(), []);
      },
      stale === undefined ? maxQueueMs : patienceMs,
    ).unref();
    const lookUp = this.#join(hostname, known !== undefined);
    if (lookUp === undefined) {
      finish(overloaded(), []);
      return;
    }
    lookUp.waiters.add(finish);
    this.#begin();
  };

  #join(hostname: string, isKnown: boolean): LookUp | undefined {
    const found = this.#active.get(hostname) ?? this.#waiting.get(hostname);
    if (found !== undefined) return found;
    if (this.#waiting.size >= maxWaiting) return undefined;
    const lookUp: LookUp = { isKnown, waiters: new Set() };
    this.#waiting.set(hostname, lookUp);
    return lookUp;
  }

  #begin(): void {
    for (const isKnown of [true, false]) {
      for (const [hostname, lookUp] of this.#waiting) {
        if (lookUp.isKnown !== isKnown) continue;
        if (!this.#hasRoom(isKnown)) break;
        this.#waiting.delete(hostname);
        this.#active.set(hostname, lookUp);
        this.#resolve(hostname, (error, addresses) => {
          this.#end(hostname, lookUp, error, addresses);
        });
      }
    }
  }

  #hasRoom(isKnown: boolean): boolean {
    if (this.#active.size >= this.#maxActive) return false;
    return isKnown || [...this.#active.values()].filter((each) => !each.isKnown).length < this.#maxUnknown;
  }

  #end(hostname: string, { waiters }: LookUp, error: Error | null, addresses: LookupAddress[]): void {
    this.#active.delete(hostname);
    if (error === null) this.#known.set(hostname, { addresses, atMs: performance.now() });
    for (const finish of [...waiters]) finish(error, addresses);
    this.#begin();
  }
}

const overloaded = (): RefwardenError =>
  new RefwardenError(
    'Overloaded',
    'Too many host names are being looked up: name servers of registries do not answer.',
  );

// Counts if it is set before the first use of a thread: this is loaded as the program starts.
process.env['UV_THREADPOOL_SIZE'] ??= '64';
/** Threads of libuv, of which look-ups may have half (libuv, "Thread pool work scheduling"). */
const threads = Number.parseInt(process.env['UV_THREADPOOL_SIZE'], 10) || 4;

/** All look-ups of the process share the threads. */
const systemLookups = new HostLookups(
  (hostname, done) => {
    systemLookup(hostname, { all: true }, done);
  },
  Math.floor((threads + 1) / 2),
);

export const resolveWithSystem: ResolveHost = systemLookups.lookUp;
