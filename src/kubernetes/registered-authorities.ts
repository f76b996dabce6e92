import { OverlappingAuthorities } from '../certificates/overlapping-authorities.ts';
import { fingerprintsOf, parseCertificates } from '../certificates/pem-bundle.ts';
import { PropagatedAuthorities } from '../certificates/propagated-authorities.ts';
import { RefwardenError } from '../failures/failure.ts';
import type { Registered } from './webhook-keeper.ts';

export interface RegisteredAuthoritiesOptions {
  /** PEM of those that this replica serves by; undefined where there are none yet. Throws where they cannot be read. */
  readonly own: () => Promise<string | undefined>;
  /** Whether it is known what there is. */
  readonly isRead: () => boolean;
  /** Whether this replica could answer with a certificate of theirs. */
  readonly isAble: () => boolean;
}

/** Which authorities the API server calls the webhooks by, beside those that this replica serves by. */
export class RegisteredAuthorities {
  readonly #options: RegisteredAuthoritiesOptions;
  readonly #overlap = new OverlappingAuthorities();
  readonly #propagated = new PropagatedAuthorities();
  #missing: string | undefined = 'The webhook configurations could not be read yet.';
  #isReadable = true;
  #isStranded = false;
  #vouched: string | undefined;

  constructor(options: RegisteredAuthoritiesOptions) {
    this.#options = options;
  }

  /** Why nobody is to be sent to this replica yet: the API server would not take its certificate. */
  get missing(): string | undefined {
    return this.#missing;
  }

  /** Those of this replica can be read: who cannot register them leaves the lease to somebody who can. */
  get isReadable(): boolean {
    return this.#isReadable;
  }

  /** The API server does not know them: nobody but the holder of the lease can mend that. */
  get isStranded(): boolean {
    return this.#isStranded;
  }

  /** Fingerprints of what the holder registers; undefined where this replica is not the holder. */
  get vouched(): string | undefined {
    return this.#vouched;
  }

  /** @param pem of authorities. @returns whether every API server takes all of them, or asks nobody. */
  isPropagated(pem: string): boolean {
    return this.#propagated.has(pem, performance.now());
  }

  /**
   * Looks at what is registered.
   * @param vouchedBefore fingerprints of what the last holder registered.
   * @param nowMs since the epoch.
   * @returns PEM of what is to be registered; undefined while this replica could not answer.
   * @throws whatever reading its own throws; RefwardenError `ConfigurationInvalid` where they hold no certificate.
   */
  async next(
    { bundles, isHolder, isNewHolder }: Registered,
    vouchedBefore: string,
    nowMs: number,
  ): Promise<string | undefined> {
    this.#propagated.observe(bundles, performance.now());
    if (isNewHolder) this.#overlap.takeOver(bundles, vouchedBefore);
    if (!isHolder) this.#vouched = undefined;
    const own = await this.#readOwn();
    this.#isStranded = this.#isReadable && (own === undefined || !this.isPropagated(own));
    // Once it may be asked, nothing takes it out again: an authority that comes later waits for its turn.
    if (own !== undefined && !this.#isStranded) this.#missing = undefined;
    if (own === undefined || !this.#options.isAble()) return undefined;
    const registered = this.#overlap.joined(own, nowMs);
    if (isHolder) this.#vouched = fingerprintsOf(registered);
    return registered;
  }

  async #readOwn(): Promise<string | undefined> {
    const { own, isRead } = this.#options;
    try {
      const pem = await own();
      if (pem !== undefined && parseCertificates(pem).length === 0) {
        throw new RefwardenError('ConfigurationInvalid', 'The authority of the serving certificate is none.');
      }
      this.#isReadable = isRead();
      this.#say('The API server was not told yet of the authority of the serving certificate.');
      return pem;
    } catch (cause) {
      this.#isReadable = false;
      this.#isStranded = false;
      this.#say('The authority of the serving certificate cannot be read.');
      throw cause;
    }
  }

  #say(missing: string): void {
    if (this.#missing !== undefined) this.#missing = missing;
  }
}
