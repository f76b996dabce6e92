import { excerpt } from '../excerpt.ts';

/** Largest answer of a responder, bytes; one with its certificate takes some 2 KiB. */
export const maxOcspBytes = 64 * 1024;
/** Largest list, bytes (Notary Project's implementations: 32 MiB). */
export const maxCrlBytes = 32 * 1024 * 1024;
/** What one answer may take, milliseconds (Notary Project, trust-store-trust-policy.md). */
export const ocspTimeoutMs = 2_000;
export const crlTimeoutMs = 5_000;

/** Names a service in messages, by its host alone. */
export function describeService(kind: 'ocsp' | 'crl', url: string): string {
  const host = excerpt(new URL(url).host);
  return kind === 'ocsp' ? `OCSP responder ${host}` : `List of revoked certificates of ${host}`;
}

/**
 * Answers of revocation services. Nothing that comes from here is taken for true: each answer is verified,
 * and what is not confirmed is not kept for long. A source bounds time and size by the above, and where it connects to.
 */
export interface RevocationSource {
  /**
   * DER OCSPResponse of a responder, by POST (RFC 6960, appendix A).
   * @param request DER OCSPRequest.
   * @throws RefwardenError; its message names the service by {@link describeService} and says why there is none.
   */
  ocsp(url: string, request: Uint8Array, signal?: AbortSignal): Promise<Uint8Array>;
  /** DER CertificateList. @throws RefwardenError as {@link ocsp}. */
  crl(url: string, signal?: AbortSignal): Promise<Uint8Array>;
  /** Says that the answer verified, so that it may be kept until then, milliseconds since the epoch. */
  confirm(answer: RevocationAnswer, untilMs: number): void;
}

/** Names an answer: a CRL by its URL, that of a responder by URL and request. */
export interface RevocationAnswer {
  readonly url: string;
  readonly request?: Uint8Array;
}
