/** Milliseconds that a Retry-After header asks for (RFC 9110, 10.2.3): seconds or an HTTP date. */
export function parseRetryAfter(header: string | string[] | undefined, nowMs: number): number | undefined {
  if (typeof header !== 'string') return undefined;
  if (/^[0-9]{1,9}$/.test(header)) return Number(header) * 1000;
  const dateMs = Date.parse(header);
  // Date.parse takes nearly anything for a date: it has to print as it was written.
  if (Number.isNaN(dateMs) || new Date(dateMs).toUTCString() !== header) return undefined;
  return Math.max(0, dateMs - nowMs);
}
