import { parseCertificates } from './pem-bundle.ts';

/** Most certificates of authorities that are told of beside those provided now. */
const maxFormer = 16;

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
    const trusted = former.filter(([, expiresAtMs]) => expiresAtMs > nowMs);
    // The clock may be ahead.
    const expired = former.filter(([, expiresAtMs]) => expiresAtMs <= nowMs);
    for (const [one] of [...trusted.slice(maxFormer), ...expired.slice(maxFormer)])
      this.#provided.delete(one);
    return [...current, ...trusted.slice(0, maxFormer).map(([one]) => one)].join('');
  }

  /**
   * Counts what another replica registered, which may have seen others provided, for provided before.
   * @param bundles PEM that the webhooks are called by.
   * @param vouched {@link fingerprintsOf} what that replica registered: anything else is a stranger's, who could change a webhook.
   */
  takeOver(bundles: readonly string[], vouched: string): void {
    const known = new Set(vouched.split(','));
    const registered = new Map(
      bundles
        .flatMap(parseCertificates)
        .filter(({ fingerprint256 }) => known.has(fingerprint256))
        .map((one) => [one.toString(), one.validToDate.getTime()]),
    );
    // The newest stand first.
    for (const [one, expiresAtMs] of [...registered].reverse()) {
      this.#provided.set(one, expiresAtMs);
    }
  }
}
