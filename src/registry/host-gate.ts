import { LRUCache } from 'lru-cache';
import type { Clock, QueuedCaller, Tenant } from '../admission/ports.ts';
import { RefwardenError } from '../failures/failure.ts';

interface Waiter {
  readonly admit: () => void;
  readonly refuse: (why: string) => void;
}

/** The requests of one tenant to one host. */
interface Line {
  readonly tenant: Tenant;
  active: number;
  /** First come, first served; a Set so that a waiter can leave. */
  readonly waiting: Set<Waiter>;
}

interface Host {
  readonly name: string;
  active: number;
  waiting: number;
  /** By name of the tenant; who was served last stands at the end. */
  readonly lines: Map<string, Line>;
}

interface Visit {
  readonly tenant: string;
  readonly atMs: number;
}

/** While several tenants are about, the last places, this part of all, are for those that have none. */
const keptPart = 1 / 8;
/** A tenant is about for so long after its last request, milliseconds: a decision asks several times in a row. */
const aboutMs = 5_000;
/** Hosts of which it is remembered who is about. */
const maxHosts = 1_000;

/**
 * Bounds the requests under way to each host, and those that wait. A tenant alone may use all of it. Where several
 * want in, a place goes to the one with the fewest under way, in turn, and a full queue turns away from the longest
 * line: who sends many waits for itself.
 */
export class HostGate {
  readonly #hosts = new Map<string, Host>();
  readonly #maxActive: number;
  readonly #maxWaiting: number;
  readonly #clock: Clock;
  /** The two tenants that were about last, the latest first. */
  readonly #visits = new LRUCache<string, readonly Visit[]>({ max: maxHosts });

  constructor(maxActive: number, maxWaiting: number, clock: Clock) {
    this.#maxActive = maxActive;
    this.#maxWaiting = maxWaiting;
    this.#clock = clock;
  }

  /**
   * Resolves to a function that must be called once when the request has ended.
   * @throws RefwardenError `Overloaded` when the queue is full or the signal aborts.
   */
  async enter(name: string, entrant: QueuedCaller): Promise<() => void> {
    const host: Host = this.#hosts.get(name) ?? { name, active: 0, waiting: 0, lines: new Map() };
    this.#hosts.set(name, host);
    const { tenant } = entrant;
    const line: Line = host.lines.get(tenant.name) ?? { tenant, active: 0, waiting: new Set() };
    host.lines.set(tenant.name, line);
    this.#note(host, line);
    if (this.#hasRoom(host, line)) this.#serve(host, line);
    else await this.#wait(host, line, entrant);
    return () => {
      host.active--;
      line.active--;
      this.#note(host, line);
      while (this.#admitNext(host));
      this.#forgetIfIdle(host, line);
    };
  }

  async #wait(host: Host, line: Line, { signal, setQueued }: QueuedCaller): Promise<void> {
    if (host.waiting >= this.#maxWaiting) this.#makeRoom(host, line);
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const end = (): void => {
      signal.removeEventListener('abort', leave);
      line.waiting.delete(waiter);
      host.waiting--;
      setQueued(false);
    };
    const waiter: Waiter = {
      admit: () => {
        end();
        this.#serve(host, line);
        resolve(undefined);
      },
      refuse: (why) => {
        end();
        this.#forgetIfIdle(host, line);
        reject(new RefwardenError('Overloaded', why));
      },
    };
    const leave = (): void => {
      // Ours, not the registry's: many are waiting.
      waiter.refuse(`A request waited too long for its turn at ${host.name}.`);
    };
    line.waiting.add(waiter);
    host.waiting++;
    setQueued(true);
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
    await promise;
  }

  /** Turns away the oldest of the longest line, whose caller is the likeliest to have left, or refuses the newcomer. */
  #makeRoom(host: Host, newcomer: Line): void {
    const why = `Too many requests are waiting for ${host.name}.`;
    const length = ({ waiting, tenant }: Line, more = 0): number => (waiting.size + more) / tenant.share;
    const longest = [...host.lines.values()].reduce((a, b) => (length(b) > length(a) ? b : a));
    const [oldest] = longest.waiting;
    if (oldest === undefined || length(newcomer, 1) >= length(longest)) {
      this.#forgetIfIdle(host, newcomer);
      throw new RefwardenError('Overloaded', why);
    }
    oldest.refuse(why);
  }

  /** @returns whether there was one to admit. */
  #admitNext(host: Host): boolean {
    const able = [...host.lines.values()].filter(
      (line) => line.waiting.size > 0 && this.#hasRoom(host, line),
    );
    const use = ({ active, tenant }: Line): number => active / tenant.share;
    const next = able.reduce<Line | undefined>(
      (a, b) => (a === undefined || use(b) < use(a) ? b : a),
      undefined,
    );
    const [waiter] = next?.waiting ?? [];
    waiter?.admit();
    return waiter !== undefined;
  }

  #serve(host: Host, line: Line): void {
    host.active++;
    line.active++;
    host.lines.delete(line.tenant.name);
    host.lines.set(line.tenant.name, line);
  }

  #hasRoom(host: Host, { active, tenant }: Line): boolean {
    if (active >= Math.max(1, Math.floor(this.#maxActive * tenant.share))) return false;
    const kept = active > 0 && this.#hasOthers(host, tenant) ? Math.ceil(this.#maxActive * keptPart) : 0;
    return host.active + kept < this.#maxActive;
  }

  #hasOthers({ name, lines }: Host, tenant: Tenant): boolean {
    if (lines.size > 1) return true;
    const nowMs = this.#clock.nowMs();
    return (this.#visits.get(name) ?? []).some(
      (visit) => visit.tenant !== tenant.name && nowMs - visit.atMs < aboutMs,
    );
  }

  #note({ name }: Host, { tenant }: Line): void {
    const others = (this.#visits.get(name) ?? []).filter((visit) => visit.tenant !== tenant.name);
    const visit = { tenant: tenant.name, atMs: this.#clock.nowMs() };
    this.#visits.set(name, [visit, ...others.slice(0, 1)]);
  }

  #forgetIfIdle(host: Host, line: Line): void {
    if (line.active === 0 && line.waiting.size === 0) host.lines.delete(line.tenant.name);
    if (host.lines.size === 0) this.#hosts.delete(host.name);
  }
}
