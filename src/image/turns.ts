import { setImmediate } from 'node:timers/promises';
import { RefwardenError } from '../failures/failure.ts';

/** Long work goes on this long before whatever else is due has its turn, milliseconds. */
const turnMs = 5;

/** One turn after the other, whoever it is of, with all else that is due in between: there is one thread. */
let lastTurn: Promise<unknown> = Promise.resolve();

/** Work that may take long: it goes on in turns, so that it holds up nobody however much of it there is. */
export class Turn {
  readonly #signal: AbortSignal | undefined;
  #endsMs = performance.now() + turnMs;

  /** @param signal ends the work. */
  constructor(signal?: AbortSignal) {
    this.#signal = signal;
  }

  /** Whether it is time for {@link next}. */
  isOver(): boolean {
    return performance.now() >= this.#endsMs;
  }

  /**
   * Waits for the next turn.
   * @throws RefwardenError `DeadlineExceeded` when the signal has aborted.
   */
  async next(): Promise<void> {
    const turn = lastTurn.then(() => setImmediate());
    lastTurn = turn;
    await turn;
    if (this.#signal?.aborted === true) {
      throw new RefwardenError('DeadlineExceeded', 'There was no time left to go on.');
    }
    this.#endsMs = performance.now() + turnMs;
  }
}
