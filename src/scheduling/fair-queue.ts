import { failureCatalogue } from '../failures/catalogue.ts';
import { RefwardenError } from '../failures/failure.ts';

/** A tenant works this long in one turn of the event loop before whatever else is due, milliseconds. */
const tenantMs = 5;
/** All of them together, milliseconds. */
const allMs = 20;
/** Small pieces are done together for so long, milliseconds: looking whose turn it is takes longer than one of them. */
const togetherMs = 1;

/** The tenant of what is of no namespace: cluster-scoped resources, and the work of the installation itself. */
export const installationTenant = '';

interface TenantQueue {
  /** In this turn of the event loop, milliseconds. */
  spentMs: number;
  /** Whose turn it is in this turn of the event loop. */
  chosen: Turn | undefined;
  /** As the how manyth it was served last; a tenant that comes anew is as the last one of the turn before. */
  servedAs: number;
  /** First come, first served; a Map so that whoever has left can go. */
  readonly waiting: Map<Turn, () => void>;
}

/**
 * Fair queuing of work that may take long on the event loop: a queue for each tenant, served in rotation. Who brings much waits
 * for itself, who brings little waits for nobody, and whatever else is due goes on in between.
 */
export class FairQueue {
  readonly #tenants = new Map<string, TenantQueue>();
  #served = 0;
  #servedBefore = 0;
  #spentMs = 0;
  #isBegun = false;

  mustWait(turn: Turn): boolean {
    const { spentMs, chosen, waiting } = this.#queueOf(turn);
    if (spentMs >= tenantMs) return true;
    return chosen !== turn && (waiting.size > 0 || this.#spentMs >= allMs);
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
      this.#spentMs += tookMs;
      queue.servedAs = ++this.#served;
    }
  }

  #queueOf({ tenant }: Turn): TenantQueue {
    this.#begin();
    let queue = this.#tenants.get(tenant);
    if (queue === undefined) {
      queue = { spentMs: 0, chosen: undefined, servedAs: this.#servedBefore, waiting: new Map() };
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

  /** In a new turn of the event loop: a few of those that wait go on, each of another tenant, who waited longest first. */
  #nextTurn(): void {
    this.#isBegun = false;
    this.#spentMs = 0;
    this.#servedBefore = this.#served;
    for (const [tenant, queue] of this.#tenants) {
      queue.spentMs = 0;
      queue.chosen = undefined;
      if (queue.waiting.size === 0) this.#tenants.delete(tenant);
    }
    const inOrder = [...this.#tenants.values()].sort((one, other) => one.servedAs - other.servedAs);
    for (const queue of inOrder.slice(0, allMs / tenantMs)) {
      const [first] = queue.waiting;
      if (first === undefined) continue;
      const [turn, goOn] = first;
      queue.waiting.delete(turn);
      queue.chosen = turn;
      goOn();
    }
    if (this.#tenants.size > 0) this.#begin();
  }
}

/** There is one event loop. */
const eventLoop = new FairQueue();

/** The work of one request on the event loop; all of it shares a place in the queue of its tenant. */
export class Turn {
  readonly tenant: string;
  readonly signal: AbortSignal | undefined;
  readonly #queue: FairQueue;
  #place: Promise<void> | undefined;

  /** @param signal ends the work. */
  constructor(tenant: string, signal?: AbortSignal, queue = eventLoop) {
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
   * Does work for each item, many in one piece, until it returns true for one.
   * @throws RefwardenError as {@link do}.
   */
  async each<Item>(items: Iterable<Item>, work: (item: Item) => unknown): Promise<void> {
    const rest = items[Symbol.iterator]();
    const together = (): boolean => {
      const endMs = performance.now() + togetherMs;
      do {
        const next = rest.next();
        if (next.done === true || work(next.value) === true) return true;
      } while (performance.now() < endMs);
      return false;
    };
    while (!(await this.do(together)));
  }
}
