import type { Job } from './messages.ts';
import { VerifierThread } from './verifier-thread.ts';
import type { JobEnd, ThreadLimits } from './verifier-thread.ts';

export interface PoolLimits extends ThreadLimits {
  /** Most threads at once. */
  readonly threads: number;
  /** Most jobs that wait for one. */
  readonly waiting: number;
}

const defaultLimits: PoolLimits = { threads: 2, waiting: 256, jobMs: 5000, heapMiB: 768 };

interface Waiting {
  readonly job: Job;
  readonly bytes: number;
  readonly start: (end: Promise<JobEnd>) => void;
}

/** Hands jobs to threads: the smallest that waits comes first, so that no flood of large ones stands in its way. */
export class JobQueue {
  readonly #limits: PoolLimits;
  readonly #waiting: Waiting[] = [];
  readonly #idle: VerifierThread[] = [];
  readonly #threads = new Set<VerifierThread>();
  #isClosed = false;

  constructor(limits: Partial<PoolLimits>) {
    this.#limits = { ...defaultLimits, ...limits };
  }

  get jobMs(): number {
    return this.#limits.jobMs;
  }

  /** Never throws. @returns `full`, the number of those who wait, when there are too many. */
  run(job: Job, bytes: number): Promise<JobEnd | { readonly full: number }> {
    if (this.#isClosed) return Promise.resolve({ ended: 'closed' });
    if (this.#waiting.length >= this.#limits.waiting) return Promise.resolve({ full: this.#waiting.length });
    return new Promise((resolve) => {
      this.#waiting.push({ job, bytes, start: resolve });
      this.#startNext();
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { start } of this.#waiting.splice(0)) start(Promise.resolve({ ended: 'closed' }));
    await Promise.all([...this.#threads].map((thread) => thread.close()));
  }

  #startNext(): void {
    const [first, ...others] = this.#waiting;
    if (first === undefined) return;
    const next = others.reduce((least, waiting) => (waiting.bytes < least.bytes ? waiting : least), first);
    let end: Promise<JobEnd>;
    try {
      const thread = this.#takeThread();
      if (thread === undefined) return;
      end = this.#runOn(thread, next.job);
    } catch (cause) {
      // The system has no thread to give.
      end = Promise.resolve({ ended: 'broken', cause });
    }
    this.#waiting.splice(this.#waiting.indexOf(next), 1);
    next.start(end);
  }

  async #runOn(thread: VerifierThread, job: Job): Promise<JobEnd> {
    const end = await thread.run(job);
    if (thread.hasEnded) this.#threads.delete(thread);
    else this.#idle.push(thread);
    this.#startNext();
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
