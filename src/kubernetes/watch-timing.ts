/** Times of one watch, in milliseconds. */
export interface WatchTiming {
  /** One list request, pages counted singly. */
  readonly listTimeoutMs: number;
  /** Everything is listed anew this often, a tenth more or less, so that nothing missed stays missed. */
  readonly relistMs: number;
  /** The server is asked to end a watch after this; the next goes on where it ended. */
  readonly serverTimeoutMs: number;
  /** A watch that brings nothing for so long is taken for dead. Bookmarks come about every minute. */
  readonly maxSilenceMs: number;
  /** A watch that lasted so long counts as healthy: the wait before the next is short again. */
  readonly healthyMs: number;
  /** The first wait before another try, and the longest. Each is halved at most, by chance: replicas spread out. */
  readonly minBackoffMs: number;
  readonly maxBackoffMs: number;
}

export const defaultWatchTiming: WatchTiming = {
  listTimeoutMs: 30_000,
  relistMs: 600_000,
  serverTimeoutMs: 300_000,
  maxSilenceMs: 120_000,
  healthyMs: 10_000,
  minBackoffMs: 500,
  maxBackoffMs: 30_000,
};
