import { RefwardenError } from '../../failures/failure.ts';

/** What a verified answer says of one certificate. Times are milliseconds since the epoch. */
export type RevocationStatus =
  | { readonly status: 'good'; readonly untilMs: number }
  | {
      readonly status: 'revoked';
      readonly untilMs: number;
      readonly revokedAtMs: number;
      /** CRLReason (RFC 5280, 5.3.1). */
      readonly reason?: number;
      /** Since when the key is suspected, by the extension invalidityDate (5.3.2). */
      readonly invalidFromMs?: number;
    };

export const revocationReason = { certificateHold: 6, removeFromCRL: 8 } as const;

const reasons: Readonly<Record<number, string>> = {
  1: 'keyCompromise',
  2: 'cACompromise',
  3: 'affiliationChanged',
  4: 'superseded',
  5: 'cessationOfOperation',
  6: 'certificateHold',
  9: 'privilegeWithdrawn',
  10: 'aACompromise',
};

/** The reason for people; empty when none is known. */
export const describeReason = (reason = 0): string => reasons[reason] ?? '';

/** How far clocks may differ, milliseconds. */
const skewMs = 5 * 60_000;

/** @throws RefwardenError `RevocationUnknown` for an answer of the future. */
export function checkBegun(thisUpdateMs: number, nowMs: number, what: string): void {
  if (thisUpdateMs > nowMs + skewMs) throw unknown(`${what} is dated ${iso(thisUpdateMs)}, in the future`);
}

export const isStale = (nextUpdateMs: number, nowMs: number): boolean => nowMs > nextUpdateMs;

export const iso = (timeMs: number): string => new Date(timeMs).toISOString();

/** @param why without a full stop. */
export function unknown(why: string, cause?: unknown): RefwardenError {
  return new RefwardenError('RevocationUnknown', `${why}.`, cause);
}
