import { parseCertificates } from './pem-bundle.ts';

/** What stands in every webhook configuration for so long has reached every API server; milliseconds. */
const defaultPropagationMs = 5000;

/** Whose certificates every API server takes: who serves by another one is refused. */
export class PropagatedAuthorities {
  readonly #propagationMs: number;
  /** Undefined before anything was observed. */
  #caBundles: readonly string[] | undefined;
  /** PEM -> since when it stands in all of them without a break, by `performance.now()`. */
  #sinceMs: ReadonlyMap<string, number> = new Map();

  constructor(propagationMs = defaultPropagationMs) {
    this.#propagationMs = propagationMs;
  }

  /**
   * To be called again whenever they may have changed.
   * @param caBundles PEM that each registered webhook is called by, empty where none is registered.
   * @param nowMs by `performance.now()`: clocks are set.
   */
  observe(caBundles: readonly string[], nowMs: number): void {
    const [first = [], ...others] = caBundles.map((bundle) =>
      parseCertificates(bundle).map((one) => one.toString()),
    );
    const inAll = first.filter((one) => others.every((bundle) => bundle.includes(one)));
    // What was there before this process looked has been for as long as it takes.
    const newMs = this.#caBundles === undefined ? nowMs - this.#propagationMs : nowMs;
    this.#sinceMs = new Map(inAll.map((one) => [one, this.#sinceMs.get(one) ?? newMs]));
    this.#caBundles = caBundles;
  }

  /** @param pem of authorities. @returns whether every API server takes all of them, or asks nobody. */
  has(pem: string, nowMs: number): boolean {
    if (this.#caBundles?.length === 0) return true;
    const certificates = parseCertificates(pem);
    return (
      certificates.length > 0 &&
      certificates.every(
        (one) => nowMs - (this.#sinceMs.get(one.toString()) ?? Infinity) >= this.#propagationMs,
      )
    );
  }
}
