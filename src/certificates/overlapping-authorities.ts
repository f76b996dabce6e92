import { parseCertificates } from './pem-bundle.ts';

/** Milliseconds each. */
interface OverlapTimes {
  /** Authorities that are no longer provided are told of for so long: mounted Secrets follow within minutes. */
  readonly keptMs: number;
  /** What was told of for so long, every API server has heard. */
  readonly heardMs: number;
}

const overlapTimes: OverlapTimes = { keptMs: 3_600_000, heardMs: 5000 };
/** Most authorities that are told of beside those provided now. */
const maxFormer = 4;

/**
 * Authorities that somebody else provides and replaces, each replica seeing it at its own time: nobody serves by a new one before
 * the API server was told of it, nor is refused because it still serves by the last.
 */
export class OverlappingAuthorities {
  readonly #times: OverlapTimes;
  /** PEM -> when it was last provided, milliseconds since the epoch. */
  readonly #provided = new Map<string, number>();
  #heardSinceMs: number | undefined;

  constructor(times = overlapTimes) {
    this.#times = times;
  }

  /** @param pem those provided now. @returns PEM of what the API server is to be told: those, and what was provided a while ago. */
  joined(pem: string, nowMs: number): string {
    const current = new Set(parseCertificates(pem).map((one) => one.toString()));
    for (const one of current) {
      this.#provided.delete(one);
      this.#provided.set(one, nowMs);
    }
    const former = [...this.#provided].filter(([one]) => !current.has(one)).reverse();
    const kept = former.filter(([, lastMs]) => nowMs - lastMs < this.#times.keptMs).slice(0, maxFormer);
    for (const [one] of former) if (!kept.some(([other]) => other === one)) this.#provided.delete(one);
    return [...current, ...kept.map(([one]) => one)].join('');
  }

  /**
   * Whether every API server has heard of those provided now.
   * @param told PEM of what it was told; undefined when it asks nobody yet.
   */
  areHeard(pem: string, told: string | undefined, nowMs: number): boolean {
    if (told === undefined) return true;
    const known = new Set(parseCertificates(told).map((one) => one.toString()));
    const isTold = parseCertificates(pem).every((one) => known.has(one.toString()));
    this.#heardSinceMs = isTold ? (this.#heardSinceMs ?? nowMs) : undefined;
    return this.#heardSinceMs !== undefined && nowMs - this.#heardSinceMs >= this.#times.heardMs;
  }
}
