/**
 * Counts the registry requests of one decision at the wire: how many, and how many had to wait for an earlier one.
 * A request that starts after another ended is taken to depend on it, so `sequential` is an upper bound.
 */
export class RequestTrace {
  #total = 0;
  #deepestEnded = 0;
  #sequential = 0;

  /** Call when a request is sent; call the result when its answer is read. */
  start(): () => void {
    this.#total++;
    const depth = this.#deepestEnded + 1;
    this.#sequential = Math.max(this.#sequential, depth);
    return () => {
      this.#deepestEnded = Math.max(this.#deepestEnded, depth);
    };
  }

  get total(): number {
    return this.#total;
  }

  get sequential(): number {
    return this.#sequential;
  }
}
