import { setImmediate as nextTurnOfLoop } from 'node:timers/promises';
import { failureCatalogue } from '../failures/catalogue.ts';
import { RefwardenError } from '../failures/failure.ts';

/** Long work goes on this long in one turn of the event loop before whatever else is due, milliseconds. */
const turnMs = 5;

/** When long work, whoever it is of, began in this turn of the event loop: there is one thread. */
let beganMs: number | undefined;

/** One that waits goes on in each turn of the event loop. */
let lastTurn: Promise<unknown> = Promise.resolve();

/** Work that may take long: it goes on in turns, so that it holds up nobody however much of it there is. */
export class Turn {
  readonly #signal: AbortSignal | undefined;

  /** @param signal ends the work. */
  constructor(signal?: AbortSignal) {
    this.#signal = signal;
  }

  /** Whether it is time for {@link next}. */
  isOver(): boolean {
    return performance.now() - begin() >= turnMs;
  }

  /**
   * Waits for the next turn.
   * @throws RefwardenError `DeadlineExceeded` when the signal has aborted.
   */
  async next(): Promise<void> {
    const turn = lastTurn.then(() => nextTurnOfLoop());
    lastTurn = turn;
    await turn;
    if (this.#signal?.aborted === true) {
      throw new RefwardenError('DeadlineExceeded', failureCatalogue.DeadlineExceeded.summary);
    }
    begin();
  }
}

/** @returns when it began. */
function begin(): number {
  if (beganMs === undefined) {
    beganMs = performance.now();
    setImmediate(() => {
      beganMs = undefined;
    });
  }
  return beganMs;
}
