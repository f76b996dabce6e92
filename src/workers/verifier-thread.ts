import { Worker } from 'node:worker_threads';
import { packJob } from './messages.ts';
import type { Answer, Job } from './messages.ts';

/** Beside this file, in source as in the bundle. */
const workerFile = new URL(
  `./verifier-worker${/\.[a-z]+$/.exec(import.meta.url)?.[0] ?? ''}`,
  import.meta.url,
);
/** A thread that is not ready after this long never will be, milliseconds; loading takes a fraction of a second. */
const maxStartMs = 30_000;

export interface ThreadLimits {
  /** Longest time of one job, milliseconds. */
  readonly jobMs: number;
  /** Most memory of the thread's objects, MiB; bytes that are moved to it come on top, within the budget of artifacts. */
  readonly heapMiB: number;
}

/** Why a thread ended before it answered. */
export type Ending = 'timeout' | 'broken' | 'closed';
export type ThreadAnswer = Exclude<Answer, { kind: 'ready' }>;
export type JobEnd = { readonly answer: ThreadAnswer } | { readonly ended: Ending; readonly cause?: unknown };

/** A worker thread that does one job at a time. Once it has ended it stays so. */
export class VerifierThread {
  readonly #worker: Worker;
  readonly #jobMs: number;
  readonly #ready = Promise.withResolvers<undefined>();
  #finish: ((end: JobEnd) => void) | undefined;
  #hasEnded = false;

  constructor({ jobMs, heapMiB }: ThreadLimits) {
    this.#jobMs = jobMs;
    this.#worker = new Worker(workerFile, { resourceLimits: { maxOldGenerationSizeMb: heapMiB } });
    this.#worker.unref();
    this.#worker.on('message', (answer: Answer) => {
      if (answer.kind === 'ready') this.#ready.resolve(undefined);
      else this.#finish?.({ answer });
    });
    this.#worker.on('error', (cause) => {
      this.#end('broken', cause);
    });
    this.#worker.on('messageerror', (cause) => {
      this.#end('broken', cause);
    });
    this.#worker.on('exit', () => {
      this.#end('broken');
    });
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Never throws. While it runs the process stays alive. */
  async run(job: Job): Promise<JobEnd> {
    const { promise, resolve } = Promise.withResolvers<JobEnd>();
    let timer = setTimeout(() => {
      this.#end('broken', new Error('The thread did not start.'));
    }, maxStartMs);
    this.#finish = (end) => {
      clearTimeout(timer);
      this.#finish = undefined;
      this.#worker.unref();
      resolve(end);
    };
    this.#worker.ref();
    if (this.#hasEnded) {
      this.#finish({ ended: 'broken' });
      return promise;
    }
    try {
      const { message, transfer } = await packJob(job);
      await Promise.race([this.#ready.promise, promise]);
      // Unless it ended while it started.
      if (!this.hasEnded) {
        clearTimeout(timer);
        timer = setTimeout(() => {
          this.#end('timeout');
        }, this.#jobMs);
        this.#worker.postMessage(message, [...transfer]);
      }
    } catch (cause) {
      this.#end('broken', cause);
    }
    return promise;
  }

  async close(): Promise<void> {
    this.#end('closed');
    await this.#worker.terminate();
  }

  #end(ended: Ending, cause?: unknown): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    void this.#worker.terminate();
    this.#finish?.({ ended, ...(cause === undefined ? {} : { cause }) });
  }
}
