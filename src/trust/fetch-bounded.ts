/** How one GET is bounded. */
export interface FetchBounds {
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

export interface FetchedAnswer {
  readonly status: number;
  /** Whole for a 2xx answer, of another one whatever was read. */
  readonly body: Uint8Array;
}

/**
 * GET of an http or https URL, redirects followed, to addresses that are allowed only (threat 10).
 * @throws RefwardenError; its message names host and path, and says why.
 */
export type FetchBounded = (url: URL, bounds: FetchBounds) => Promise<FetchedAnswer>;
