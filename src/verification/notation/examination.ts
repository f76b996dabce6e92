import type { Digest } from '../../image/digest.ts';
import type { NotationValidation } from '../../policy/resolved-issuer.ts';
import { checkRevocation } from '../revocation/check-revocation.ts';
import type { RevocationResult } from '../revocation/check-revocation.ts';
import type { RevocationSource } from '../revocation/revocation-source.ts';
import { verifyTimestampToken } from '../timestamp/verify-timestamp-token.ts';
import type { VerifiedTimestamp } from '../timestamp/verify-timestamp-token.ts';
import { schemes } from './attribute-rules.ts';
import type { CertificateChain } from './certificate-rules.ts';
import type { CompiledIssuer } from './compiled-issuer.ts';
import type { NotationCertificate } from './notation-certificate.ts';
import type { SignedEnvelope } from './signed-envelope.ts';

/** A signature as it is, before any issuer. */
export interface Signed {
  readonly envelope: SignedEnvelope;
  readonly chain: CertificateChain;
  readonly subject: Digest | undefined;
  /** Bytes of the subject. */
  readonly document: Uint8Array | undefined;
}

/** What is needed beside the signature itself. */
export interface Surroundings {
  readonly nowMs: number;
  /** Absent, a certificate that names a revocation service is of unknown state. */
  readonly revocation: RevocationSource | undefined;
}

/** One signature before one issuer, with what was found out so far. */
export class Examination implements Signed {
  readonly envelope: SignedEnvelope;
  readonly chain: CertificateChain;
  readonly subject: Digest | undefined;
  readonly document: Uint8Array | undefined;
  readonly issuer: CompiledIssuer;
  readonly nowMs: number;
  readonly #source: RevocationSource | undefined;
  readonly #held = new Set<NotationValidation>();
  #timestamp: VerifiedTimestamp | undefined;
  readonly #revocations = new Map<string, Promise<RevocationResult>>();

  constructor({ envelope, chain, subject, document }: Signed, issuer: CompiledIssuer, around: Surroundings) {
    this.envelope = envelope;
    this.chain = chain;
    this.subject = subject;
    this.document = document;
    this.issuer = issuer;
    this.nowMs = around.nowMs;
    this.#source = around.revocation;
  }

  /** Notes that a validation holds: later ones may build on it. */
  held(validation: NotationValidation): void {
    this.#held.add(validation);
  }

  get isOfAuthority(): boolean {
    return this.envelope.attributes.signingScheme === schemes.signingAuthority;
  }

  /** The certificates that a chain of the signature's scheme must lead to. */
  get trusted(): readonly NotationCertificate[] {
    const { ca, signingAuthority } = this.issuer.stores;
    return this.isOfAuthority ? signingAuthority : ca;
  }

  /** Whether a timestamp has to say when it was signed (trust-store-trust-policy.md "Timestamp Countersignature Verification details"). */
  get isTimestampDue(): boolean {
    const { stores, issuer } = this.issuer;
    if (this.isOfAuthority || stores.tsa.length === 0) return false;
    return (
      issuer.verifyTimestamp === 'always' || this.chain.some(({ notAfterMs }) => notAfterMs < this.nowMs)
    );
  }

  /** @throws RefwardenError when it does not verify, or there is none. */
  timestamp(): VerifiedTimestamp {
    this.#timestamp ??= verifyTimestampToken({
      token: this.envelope.timestampToken ?? new Uint8Array(0),
      message: this.envelope.signature,
      roots: this.issuer.stores.tsa.map(({ der }) => der),
    });
    return this.#timestamp;
  }

  /** The time of signing that can be relied on, milliseconds since the epoch; undefined when there is none. */
  get trustedTimeMs(): number | undefined {
    if (!this.#held.has('authenticity') || !this.#held.has('authenticTimestamp')) return undefined;
    if (this.isOfAuthority) return this.envelope.attributes.authenticSigningTimeMs;
    return this.isTimestampDue ? this.timestamp().genTimeMs : undefined;
  }

  /** Of the signer's chain. */
  revocation(): Promise<RevocationResult> {
    const { trustedTimeMs } = this;
    // At the latest then: what was revoked before may have signed.
    const slackMs = trustedTimeMs !== undefined && this.isTimestampDue ? this.timestamp().accuracyMs : 0;
    const atMs = trustedTimeMs === undefined ? undefined : trustedTimeMs + slackMs;
    return this.#revocationOf(
      'signer',
      this.chain.map(({ der }) => der),
      atMs,
    );
  }

  /** Of the timestamp authority's chain. */
  timestampRevocation(): Promise<RevocationResult> {
    return this.#revocationOf('timestamp authority', this.timestamp().chain, undefined);
  }

  #revocationOf(
    whose: string,
    chain: readonly Uint8Array[],
    atMs: number | undefined,
  ): Promise<RevocationResult> {
    // Certificates name the hosts that would be asked: nobody untrusted gets to choose them.
    if (!this.#held.has('authenticity')) {
      const message = `The certificates of the ${whose} were not looked up: the signer is not trusted.`;
      return Promise.resolve({ status: 'unknown', message });
    }
    const known = this.#revocations.get(whose);
    if (known !== undefined) return known;
    const asked = checkRevocation(chain, {
      source: this.#source,
      nowMs: this.nowMs,
      ...(atMs === undefined ? {} : { atMs }),
    });
    this.#revocations.set(whose, asked);
    return asked;
  }
}
