/** Most steps of all expressions that one evaluation runs: one or two seconds; a loop over 20,000 packages takes some 300,000. */
const maxSteps = 5_000_000;

/** Thrown when the steps are used up; whatever CEL makes of it, {@link Meter.isSpent} stays. */
class BudgetSpent extends Error {}

/** Counts what expressions cost. A step is about one node of an expression, or a few characters of text. */
export class Meter {
  #left: number;

  constructor(steps = maxSteps) {
    this.#left = steps;
  }

  /** Once spent, every further step throws: CEL absorbs errors, as in `error || true`. */
  spend(steps: number): void {
    // Written so that NaN spends all.
    if (steps <= this.#left) this.#left -= steps;
    else this.#left = -1;
    if (this.isSpent) throw new BudgetSpent('The expression takes too many steps.');
  }

  get isSpent(): boolean {
    return this.#left < 0;
  }
}
