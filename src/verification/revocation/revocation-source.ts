/**
 * Answers of revocation services. The caller takes nothing that comes from here for true: each answer is verified,
 * and what is not confirmed is not kept for long. Each bounds its own time, size and addresses.
 */
export interface RevocationSource {
  /**
   * DER OCSPResponse of a responder, by POST (RFC 6960, appendix A).
   * @param request DER OCSPRequest.
   * @throws RefwardenError; its message says why there is none, without naming the URL's path or query.
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
