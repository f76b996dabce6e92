import { setTimeout as pause } from 'node:timers/promises';
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
  /** Longest computing time of one job, milliseconds: a machine that is busy otherwise is not its fault. */
  readonly jobMs: number;
  /** Most memory of the thread's objects, MiB; bytes that are moved to it come on top, within the budget of artifacts. */
  readonly heapMiB: number;
}

/** A job may take so many times its computing time by the clock. */
const maxWallFactor = 3;
/** How long a thread may take to say what it used, milliseconds. */
const maxUsageMs = 1000;

/** Why there is no answer; `abandoned` before the job began, since nobody waited for it any more. */
export type Ending = 'timeout' | 'broken' | 'closed' | 'abandoned';
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
    const timer = setTimeout(() => {
      this.#end('broken', new Error('The thread did not start.'));
    }, maxStartMs);
    const done = new AbortController();
    this.#finish = (end) => {
      clearTimeout(timer);
      done.abort();
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
        const usedMs = await this.#usedMs();
        this.#worker.postMessage(message, [...transfer]);
        void this.#limitTime(usedMs, done.signal);
      }
    } catch (cause) {
      this.#end('broken', cause);
    }
    return promise;
  }

  /** Ends the thread once its job has used its computing time, or by the clock several times that. */
  async #limitTime(usedBeforeMs: number, done: AbortSignal): Promise<void> {
    const endMs = performance.now() + maxWallFactor * this.#jobMs;
    let leftMs = this.#jobMs;
    while (leftMs > 0 && performance.now() < endMs) {
      // At least a little, or a thread that gets no time would be asked without end.
      const pauseMs = Math.min(Math.max(leftMs, 20), Math.max(endMs - performance.now(), 0));
      const isOver = await pause(pauseMs, false, { signal: done, ref: false }).catch(() => true);
      if (isOver) return;
      leftMs = this.#jobMs - ((await this.#usedMs()) - usedBeforeMs);
    }
    if (!done.aborted) this.#end('timeout');
  }

  /** Computing time since the thread began, milliseconds; Infinity when it does not say. */
  async #usedMs(): Promise<number> {
    const silence = pause(maxUsageMs, undefined, { ref: false });
    const usage = await Promise.race([this.#worker.cpuUsage().catch(() => undefined), silence]);
    return usage === undefined ? Infinity : (usage.user + usage.system) / 1000;
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
