import { EarliestTimer } from '../admission/earliest-timer.ts';

/** What wakes often comes together: work begins this long after the first, milliseconds. */
const settleMs = 50;
/** Least time between two beginnings, milliseconds: somebody who undoes the work each time keeps it from running hot. */
const minIntervalMs = 1000;
/** It is done this often in any case, milliseconds. */
const pollMs = 2000;

/** Does work when woken, and now and then: never twice at a time, and once more when woken meanwhile. */
export class Waker {
  readonly #work: () => Promise<void>;
  readonly #timer = new EarliestTimer(() => {
    this.#begin();
  });
  #beganMs = -Infinity;
  #running: Promise<void> | undefined;
  #wokenMeanwhile = false;

  /** @param work must not throw. */
  constructor(work: () => Promise<void>) {
    this.#work = work;
    this.#timer.schedule(settleMs);
  }

  wake(): void {
    if (this.#running !== undefined) this.#wokenMeanwhile = true;
    else this.#timer.schedule(Math.max(settleMs, this.#beganMs + minIntervalMs - performance.now()));
  }

  async close(): Promise<void> {
    this.#timer.close();
    await this.#running;
  }

  #begin(): void {
    this.#beganMs = performance.now();
    this.#wokenMeanwhile = false;
    this.#running = this.#work().finally(() => {
      this.#running = undefined;
      if (this.#wokenMeanwhile) this.wake();
      this.#timer.schedule(pollMs);
    });
  }
}
