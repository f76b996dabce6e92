import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import type { BaseLogger } from 'pino';

/** Files are often written in several steps: this long after the last one they are read, milliseconds. */
const settleMs = 200;
/** The directory is read this often in any case, milliseconds: a watch may miss changes or lose the directory. */
const defaultPollMs = 30_000;

export interface DirectoryWatchOptions {
  readonly path: string;
  /** Never rejects. */
  readonly changed: () => Promise<void>;
  readonly logger: BaseLogger | undefined;
  readonly pollMs?: number | undefined;
}

/** Calls back when a directory changed, and now and then in any case; one call at a time. */
export class DirectoryWatch {
  readonly #options: DirectoryWatchOptions;
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer fires, on the clock of `performance`. */
  #dueMs = Infinity;
  #reading: Promise<void> = Promise.resolve();
  #closed = false;

  /** The first call comes at once: for what changed since the directory was first read. */
  constructor(options: DirectoryWatchOptions) {
    this.#options = options;
    this.#schedule(0);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#watcher?.close();
    await this.#reading;
  }

  /** Watches the directory of now: one that was removed and made again is another to the system. */
  #arm(): void {
    const { path, logger } = this.#options;
    const pollingOnly = (cause: unknown): void => {
      logger?.warn({ cause, path }, 'The policy directory is not watched, only read periodically');
    };
    this.#watcher?.close();
    this.#watcher = undefined;
    try {
      this.#watcher = watch(path, { persistent: false }, () => {
        this.#schedule(settleMs);
      });
      this.#watcher.on('error', pollingOnly);
    } catch (cause) {
      pollingOnly(cause);
    }
  }

  /** One timer serves both: a change brings the next read forward, and never puts it off. */
  #schedule(delayMs: number): void {
    const dueMs = performance.now() + delayMs;
    if (this.#closed || dueMs >= this.#dueMs) return;
    this.#dueMs = dueMs;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#dueMs = Infinity;
      this.#reading = this.#reading.then(() => this.#read());
    }, delayMs).unref();
  }

  async #read(): Promise<void> {
    if (this.#closed) return;
    this.#arm(); // before the read, so that no change falls between
    await this.#options.changed();
    this.#schedule(this.#options.pollMs ?? defaultPollMs);
  }
}
