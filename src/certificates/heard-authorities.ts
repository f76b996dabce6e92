import { parseCertificates } from './pem-bundle.ts';

/** What was told of for so long, every API server has heard; milliseconds. */
const defaultHeardMs = 5000;

/** PEM that each registered webhook is called by: empty where none is registered, undefined while that is not known. */
export type ToldBundles = readonly string[] | undefined;

/** Whose certificates every API server takes: who serves by another one is refused. */
export class HeardAuthorities {
  readonly #heardMs: number;
  #told: ToldBundles;
  /** PEM -> since when it is told of without a break, by `performance.now()`. */
  #sinceMs: ReadonlyMap<string, number> = new Map();

  constructor(heardMs = defaultHeardMs) {
    this.#heardMs = heardMs;
  }

  /** To be called again whenever that may have changed. @param nowMs by `performance.now()`: clocks are set. */
  saw(told: ToldBundles, nowMs: number): void {
    const [first = [], ...others] = (told ?? []).map((bundle) =>
      parseCertificates(bundle).map((one) => one.toString()),
    );
    const inAll = first.filter((one) => others.every((bundle) => bundle.includes(one)));
    // What was there before this process looked has been for as long as it takes.
    const newMs = this.#told === undefined ? nowMs - this.#heardMs : nowMs;
    this.#sinceMs = new Map(inAll.map((one) => [one, this.#sinceMs.get(one) ?? newMs]));
    this.#told = told;
  }

  /** @param pem of authorities. @returns whether every API server knows all of them, or asks nobody. */
  know(pem: string, nowMs: number): boolean {
    if (this.#told?.length === 0) return true;
    const certificates = parseCertificates(pem);
    return (
      certificates.length > 0 &&
      certificates.every((one) => nowMs - (this.#sinceMs.get(one.toString()) ?? Infinity) >= this.#heardMs)
    );
  }
}
