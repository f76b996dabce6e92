import { parseCertificates } from './pem-bundle.ts';

/** @returns SHA-256 of each certificate, in hexadecimal, with commas between. */
export const fingerprintsOf = (pem: string): string =>
  parseCertificates(pem)
    .map(({ fingerprint256 }) => fingerprint256)
    .join(',');

/** Most authorities that are told of beside those provided now. */
const maxFormer = 4;

/**
 * Authorities that are replaced: nobody is refused because it still serves by one of before. Each replica sees a new one at its own
 * time, and an upgrade that hangs has replicas of both for as long as it does; so those of before are told of until they expire.
 */
export class OverlappingAuthorities {
  /** PEM -> when it expires, milliseconds since the epoch; what was provided last stands last. */
  readonly #provided = new Map<string, number>();

  /** @param pem those provided now. @returns PEM of what the API server is to be told: those, then the newest of those of before. */
  joined(pem: string, nowMs: number): string {
    const current = new Set<string>();
    for (const certificate of parseCertificates(pem)) {
      const one = certificate.toString();
      current.add(one);
      this.#provided.delete(one);
      this.#provided.set(one, certificate.validToDate.getTime());
    }
    const former = [...this.#provided].filter(([one]) => !current.has(one)).reverse();
    for (const [one] of former.slice(maxFormer)) this.#provided.delete(one);
    const kept = former.slice(0, maxFormer).filter(([, expiresAtMs]) => expiresAtMs > nowMs);
    return [...current, ...kept.map(([one]) => one)].join('');
  }

  /**
   * Takes over from who wrote before, and may have seen others provided.
   * @param bundles PEM of what the API server was told.
   * @param vouched {@link fingerprintsOf} those that are no stranger's: whoever can change a webhook may have added some.
   */
  takeOver(bundles: readonly string[], vouched: string): void {
    const known = new Set(vouched.split(','));
    const told = new Map(
      bundles
        .flatMap(parseCertificates)
        .filter(({ fingerprint256 }) => known.has(fingerprint256))
        .map((one) => [one.toString(), one.validToDate.getTime()]),
    );
    // Those that were told of first are the newest.
    for (const [one, expiresAtMs] of [...told].reverse()) {
      if (!this.#provided.has(one)) this.#provided.set(one, expiresAtMs);
    }
  }
}
