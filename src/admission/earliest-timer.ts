/** One timer for what may be due for several reasons: the earliest wins, and it keeps no process running. */
export class EarliestTimer {
  readonly #due: () => void;
  #timer: NodeJS.Timeout | undefined;
  #dueAtMs = Infinity;
  #closed = false;

  constructor(due: () => void) {
    this.#due = due;
  }

  /** Brings what is due forward, never back. */
  schedule(delayMs: number): void {
    const dueAtMs = performance.now() + delayMs;
    if (this.#closed || dueAtMs >= this.#dueAtMs) return;
    this.#dueAtMs = dueAtMs;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#dueAtMs = Infinity;
      this.#due();
    }, delayMs).unref();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }
}
