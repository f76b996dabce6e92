import { failureCatalogue } from '../failures/catalogue.ts';
import { RefwardenError } from '../failures/failure.ts';

/** A tenant works this long in one turn of the event loop before whatever else is due, milliseconds. */
const tenantQuantumMs = 5;
/** All of them together, milliseconds. */
const loopQuantumMs = 20;
/** Small pieces are done together for so long, milliseconds: looking whose turn it is takes longer than one of them. */
const batchMs = 1;

/** A namespace; an empty one is that of cluster-scoped resources. */
export type Tenant = string | typeof installationTenant;
/** The work of the installation itself: it comes first in every turn, or many tenants together would hold up new policies. */
export const installationTenant: unique symbol = Symbol('installation');

interface TenantQueue {
  /** In this turn of the event loop, milliseconds. */
  spentMs: number;
  /** Whose turn it is in this turn of the event loop. */
  chosen: Turn | undefined;
  /** Number of the piece of work that was its last one; a tenant that comes anew goes behind all of the turn before. */
  lastServed: number;
  /** First come, first served; a Map so that whoever has left can go. */
  readonly waiting: Map<Turn, () => void>;
}

/**
 * Fair queuing of work that may take long on the event loop: a queue for each tenant, served in rotation. Who brings much waits
 * for itself, who brings little waits for nobody, and whatever else is due goes on in between.
 */
export class FairQueue {
  readonly #tenants = new Map<Tenant, TenantQueue>();
  #served = 0;
  #servedBefore = 0;
  #spentMs = 0;
  #isBegun = false;

  mustWait(turn: Turn): boolean {
    const { spentMs, chosen, waiting } = this.#queueOf(turn);
    if (spentMs >= tenantQuantumMs) return true;
    return chosen !== turn && (waiting.size > 0 || this.#spentMs >= loopQuantumMs);
  }

  /** @throws RefwardenError `DeadlineExceeded` when the signal of the turn aborts. */
  async wait(turn: Turn): Promise<void> {
    const { waiting } = this.#queueOf(turn);
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const leave = (): void => {
      waiting.delete(turn);
      reject(new RefwardenError('DeadlineExceeded', failureCatalogue.DeadlineExceeded.summary));
    };
    waiting.set(turn, () => {
      resolve(undefined);
    });
    if (turn.signal?.aborted === true) leave();
    else turn.signal?.addEventListener('abort', leave, { once: true });
    try {
      await promise;
    } finally {
      turn.signal?.removeEventListener('abort', leave);
    }
  }

  /** Counts how long the work of a turn takes. */
  run<T>(turn: Turn, work: () => T): T {
    const queue = this.#queueOf(turn);
    const beganMs = performance.now();
    try {
      return work();
    } finally {
      const tookMs = performance.now() - beganMs;
      queue.spentMs += tookMs;
      // Its pieces may be long, and it comes first in the next turn, too: tenants have their time beside it.
      if (turn.tenant !== installationTenant) this.#spentMs += tookMs;
      queue.lastServed = ++this.#served;
      this.#letNextGoOn();
    }
  }

  #queueOf({ tenant }: Turn): TenantQueue {
    this.#begin();
    let queue = this.#tenants.get(tenant);
    if (queue === undefined) {
      queue = { spentMs: 0, chosen: undefined, lastServed: this.#servedBefore, waiting: new Map() };
      this.#tenants.set(tenant, queue);
    }
    return queue;
  }

  #begin(): void {
    if (this.#isBegun) return;
    this.#isBegun = true;
    setImmediate(() => {
      this.#nextTurn();
    });
  }

  #nextTurn(): void {
    this.#isBegun = false;
    this.#spentMs = 0;
    this.#servedBefore = this.#served;
    for (const [tenant, queue] of this.#tenants) {
      queue.spentMs = 0;
      queue.chosen = undefined;
      if (queue.waiting.size === 0) this.#tenants.delete(tenant);
    }
    this.#letNextGoOn();
    if (this.#tenants.size > 0) this.#begin();
  }

  /** As long as there is time left: the installation, then the tenant that was served longest ago. */
  #letNextGoOn(): void {
    if (this.#spentMs >= loopQuantumMs) return;
    let next: TenantQueue | undefined;
    for (const [tenant, queue] of this.#tenants) {
      if (queue.waiting.size === 0 || queue.spentMs >= tenantQuantumMs) continue;
      if (next === undefined || queue.lastServed < next.lastServed) next = queue;
      if (tenant === installationTenant) {
        next = queue;
        break;
      }
    }
    const [first] = next?.waiting ?? [];
    if (next === undefined || first === undefined) return;
    const [turn, goOn] = first;
    next.waiting.delete(turn);
    next.chosen = turn;
    goOn();
  }
}

/** There is one event loop. */
const eventLoop = new FairQueue();

/** The work of one request on the event loop; all of it shares a place in the queue of its tenant. */
export class Turn {
  readonly tenant: Tenant;
  readonly signal: AbortSignal | undefined;
  readonly #queue: FairQueue;
  #place: Promise<void> | undefined;

  /** @param signal ends the work. */
  constructor(tenant: Tenant, signal?: AbortSignal, queue = eventLoop) {
    this.tenant = tenant;
    this.signal = signal;
    this.#queue = queue;
  }

  /**
   * Does a piece of work, some milliseconds at most, after waiting for its turn where that is due.
   * @throws RefwardenError `DeadlineExceeded` when the signal aborts while it waits, and what the work throws.
   */
  async do<T>(work: () => T): Promise<T> {
    while (this.#queue.mustWait(this)) {
      this.#place ??= this.#queue.wait(this).finally(() => {
        this.#place = undefined;
      });
      await this.#place;
    }
    return this.#queue.run(this, work);
  }

  /**
   * Does work that pauses after each piece, many of them together.
   * @throws RefwardenError as {@link do}.
   */
  async complete<T>(pieces: Iterator<unknown, T>): Promise<T> {
    for (;;) {
      const last = await this.do(() => {
        const endMs = performance.now() + batchMs;
        let next = pieces.next();
        while (next.done !== true && performance.now() < endMs) next = pieces.next();
        return next;
      });
      if (last.done === true) return last.value;
    }
  }

  /** Does work for each item, many together. @throws RefwardenError as {@link do}. */
  async each<Item>(items: Iterable<Item>, work: (item: Item) => void): Promise<void> {
    await this.some(items, (item) => {
      work(item);
      return false;
    });
  }

  /** Those for which it holds, in their order. @throws RefwardenError as {@link do}. */
  async filter<Item>(items: Iterable<Item>, holds: (item: Item) => boolean): Promise<ReadonlySet<Item>> {
    const held = new Set<Item>();
    await this.each(items, (item) => {
      if (holds(item)) held.add(item);
    });
    return held;
  }

  /** Whether it holds for any; none is looked at after the first. @throws RefwardenError as {@link do}. */
  some<Item>(items: Iterable<Item>, holds: (item: Item) => boolean): Promise<boolean> {
    return this.complete(firstThatHolds(items, holds));
  }
}

function* firstThatHolds<Item>(
  items: Iterable<Item>,
  holds: (item: Item) => boolean,
): Generator<void, boolean> {
  for (const item of items) {
    if (holds(item)) return true;
    yield;
  }
  return false;
}
