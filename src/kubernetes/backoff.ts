/** Waits that double up to a limit, each shortened by up to a half by chance, so that replicas spread out. */
export class Backoff {
  readonly #minMs: number;
  readonly #maxMs: number;
  #nextMs: number;

  constructor(minMs: number, maxMs: number) {
    this.#minMs = minMs;
    this.#maxMs = maxMs;
    this.#nextMs = minMs;
  }

  reset(): void {
    this.#nextMs = this.#minMs;
  }

  /** How long to wait before the next try, milliseconds. */
  nextDelayMs(): number {
    const delayMs = this.#nextMs * (1 - Math.random() / 2);
    this.#nextMs = Math.min(this.#nextMs * 2, this.#maxMs);
    return delayMs;
  }
}
