/** Several callers that wait for one piece of work: it goes on as long as one of them does. */
export class SharedWait {
  readonly #abandoned = new AbortController();
  readonly #forget: (() => void)[] = [];
  #waiting = 0;

  /** Ends when nobody waits any more. */
  get signal(): AbortSignal {
    return this.#abandoned.signal;
  }

  /** @param signal ends this caller's wait; without one it never ends. */
  join(signal: AbortSignal | undefined): void {
    this.#waiting++;
    if (signal === undefined) return;
    const leave = (): void => {
      if (--this.#waiting === 0) this.#abandoned.abort();
    };
    if (signal.aborted) {
      leave();
      return;
    }
    signal.addEventListener('abort', leave, { once: true });
    this.#forget.push(() => {
      signal.removeEventListener('abort', leave);
    });
  }

  /** The work is done: nobody is listened to any more. */
  end(): void {
    for (const forget of this.#forget.splice(0)) forget();
  }
}
