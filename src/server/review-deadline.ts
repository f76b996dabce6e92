/** What the API server waits when it names no timeout, milliseconds. */
const defaultTimeoutMs = 10_000;
/** The longest that Kubernetes lets a webhook take, milliseconds. */
const maxTimeoutMs = 30_000;
/** Kept back from the caller's timeout for the way of the answer, milliseconds. */
const marginMs = 500;

const unitMs = { h: 3_600_000, m: 60_000, s: 1000, ms: 1, us: 0.001, µs: 0.001, ns: 0.000001 } as const;
type Unit = keyof typeof unitMs;
const maxDurationLength = 32;

/** Milliseconds after the arrival of a request. */
export interface ReviewDeadline {
  /** The review is told to come to an end. */
  readonly abortMs: number;
  /** The server answers by itself. Later than {@link abortMs}, so that the review can say what it waited for. */
  readonly answerMs: number;
}

/**
 * @param timeout the query parameter that the API server appends, a Go duration such as `10s`. What is missing
 * or no duration counts as the default.
 */
export function reviewDeadline(timeout: unknown): ReviewDeadline {
  const timeoutMs = Math.min(parseGoDurationMs(timeout) ?? defaultTimeoutMs, maxTimeoutMs);
  const margin = Math.min(marginMs, timeoutMs / 2);
  return { abortMs: timeoutMs - margin, answerMs: timeoutMs - margin / 2 };
}

/** A positive Go duration (`time.ParseDuration`) in milliseconds; undefined for anything else. */
export function parseGoDurationMs(text: unknown): number | undefined {
  if (typeof text !== 'string' || text.length > maxDurationLength) return undefined;
  if (!/^(?:\d+(?:\.\d+)?(?:h|ms|m|s|us|µs|ns))+$/.test(text)) return undefined;
  let totalMs = 0;
  for (const [, amount, unit] of text.matchAll(/([\d.]+)(h|ms|m|s|us|µs|ns)/g)) {
    totalMs += Number(amount) * unitMs[unit as Unit];
  }
  return totalMs > 0 ? totalMs : undefined;
}
