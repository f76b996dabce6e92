import { FairPlaces } from '../admission/fair-places.ts';
import type { VerificationCaller } from '../verification/verification.ts';
import type { Job } from './messages.ts';
import { VerifierThread } from './verifier-thread.ts';
import type { JobEnd, ThreadLimits } from './verifier-thread.ts';

export interface PoolLimits extends ThreadLimits {
  /** Most threads at once; one tenant leaves one of them to others. */
  readonly threads: number;
  /** Most jobs that wait for one, half of them of one tenant alone. */
  readonly waiting: number;
}

const defaultLimits: PoolLimits = { threads: 3, waiting: 256, jobMs: 5000, heapMiB: 768 };

/** Who was served before them counts as never served. */
const maxRememberedTenants = 1024;

interface Waiting {
  readonly job: Job;
  readonly bytes: number;
  readonly tenant: string;
  readonly start: (end: Promise<JobEnd>) => void;
}

/**
 * Hands jobs to threads. Tenants take turns, whoever was served longest ago first; of one tenant's jobs the smallest comes
 * first. A job that nobody waits for any more is dropped.
 */
export class JobQueue {
  readonly #limits: PoolLimits;
  readonly #places: FairPlaces;
  readonly #running: FairPlaces;
  readonly #waiting = new Set<Waiting>();
  readonly #idle: VerifierThread[] = [];
  readonly #threads = new Set<VerifierThread>();
  /** In which turn each tenant was last served, in that order. */
  readonly #lastServed = new Map<string, number>();
  #served = 0;
  #isClosed = false;

  constructor(limits: Partial<PoolLimits>) {
    this.#limits = { ...defaultLimits, ...limits };
    this.#places = new FairPlaces(this.#limits.waiting);
    this.#running = new FairPlaces(this.#limits.threads);
  }

  get jobMs(): number {
    return this.#limits.jobMs;
  }

  /** Never throws. @returns `full`, the number of those who wait, when there are too many. */
  run(job: Job, bytes: number, caller?: VerificationCaller): Promise<JobEnd | { readonly full: number }> {
    const { tenant = '', signal } = caller ?? {};
    if (this.#isClosed) return Promise.resolve({ ended: 'closed' });
    if (signal?.aborted === true) return Promise.resolve({ ended: 'abandoned' });
    const leave = this.#places.take(tenant);
    if (leave === undefined) return Promise.resolve({ full: this.#waiting.size });
    return new Promise((resolve) => {
      const abandon = (): void => {
        waiting.start(Promise.resolve({ ended: 'abandoned' }));
      };
      const waiting: Waiting = {
        job,
        bytes,
        tenant,
        start: (end) => {
          signal?.removeEventListener('abort', abandon);
          this.#waiting.delete(waiting);
          leave();
          resolve(end);
        },
      };
      this.#waiting.add(waiting);
      signal?.addEventListener('abort', abandon, { once: true });
      this.#startWaiting();
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { start } of this.#waiting) start(Promise.resolve({ ended: 'closed' }));
    await Promise.all([...this.#threads].map((thread) => thread.close()));
  }

  #startWaiting(): void {
    for (;;) {
      const next = this.#next();
      if (next === undefined) return;
      const { waiting, leave } = next;
      try {
        const thread = this.#takeThread();
        if (thread === undefined) {
          leave();
          return;
        }
        this.#remember(waiting.tenant);
        waiting.start(this.#runOn(thread, waiting.job, leave));
      } catch (cause) {
        // The system has no thread to give.
        leave();
        waiting.start(Promise.resolve({ ended: 'broken', cause }));
      }
    }
  }

  #remember(tenant: string): void {
    this.#lastServed.delete(tenant);
    this.#lastServed.set(tenant, ++this.#served);
    const [oldest] = this.#lastServed.keys();
    if (this.#lastServed.size > maxRememberedTenants && oldest !== undefined) this.#lastServed.delete(oldest);
  }

  /** Of the tenant that waits longest among those who may have a thread more. */
  #next(): { readonly waiting: Waiting; readonly leave: () => void } | undefined {
    const smallest = new Map<string, Waiting>();
    for (const waiting of this.#waiting) {
      const known = smallest.get(waiting.tenant);
      if (known === undefined || waiting.bytes < known.bytes) smallest.set(waiting.tenant, waiting);
    }
    const servedAt = ({ tenant }: Waiting): number => this.#lastServed.get(tenant) ?? 0;
    for (const waiting of [...smallest.values()].sort((a, b) => servedAt(a) - servedAt(b))) {
      const leave = this.#limits.threads === 1 ? () => undefined : this.#running.take(waiting.tenant);
      if (leave !== undefined) return { waiting, leave };
    }
    return undefined;
  }

  async #runOn(thread: VerifierThread, job: Job, leave: () => void): Promise<JobEnd> {
    const end = await thread.run(job);
    leave();
    if (thread.hasEnded) this.#threads.delete(thread);
    else this.#idle.push(thread);
    this.#startWaiting();
    return end;
  }

  /** Idle ones first; started only when there is work. */
  #takeThread(): VerifierThread | undefined {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (!idle.hasEnded) return idle;
      this.#threads.delete(idle);
    }
    if (this.#isClosed || this.#threads.size >= this.#limits.threads) return undefined;
    const thread = new VerifierThread(this.#limits);
    this.#threads.add(thread);
    return thread;
  }
}
