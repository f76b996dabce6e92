import { parseCertificates } from './pem-bundle.ts';

/**
 * Authorities that are no longer provided are told of for so long, milliseconds: each replica sees a new one at its own time,
 * mounted Secrets within minutes.
 */
const defaultKeptMs = 900_000;
/** Most authorities that are told of beside those provided now. */
const maxFormer = 4;

/** Authorities that are replaced: nobody is refused because it still serves by the last. */
export class OverlappingAuthorities {
  readonly #keptMs: number;
  /** PEM -> when it was last provided, milliseconds since the epoch; the newest last. */
  readonly #provided = new Map<string, number>();

  constructor(keptMs = defaultKeptMs) {
    this.#keptMs = keptMs;
  }

  /** @param pem those provided now. @returns PEM of what the API server is to be told: those, and what was provided a while ago. */
  joined(pem: string, nowMs: number): string {
    const current = new Set(parseCertificates(pem).map((one) => one.toString()));
    for (const one of current) {
      this.#provided.delete(one);
      this.#provided.set(one, nowMs);
    }
    const former = [...this.#provided].filter(([one]) => !current.has(one)).reverse();
    const kept = former.filter(([, lastMs]) => nowMs - lastMs < this.#keptMs).slice(0, maxFormer);
    for (const [one] of former) if (!kept.some(([other]) => other === one)) this.#provided.delete(one);
    return [...current, ...kept.map(([one]) => one)].join('');
  }

  /** Takes over from who wrote before, and may have seen others provided. @param bundles PEM of what the API server was told. */
  takeOver(bundles: readonly string[], nowMs: number): void {
    const told = new Set(bundles.flatMap(parseCertificates).map((one) => one.toString()));
    // Those that were told of first are the newest.
    for (const one of [...told].reverse()) if (!this.#provided.has(one)) this.#provided.set(one, nowMs);
  }
}
