import type { TransparencyLogEntry } from '@sigstore/bundle';
import type { TrustedTime } from '../../policy/evidence.ts';
import type { SignedTimestamp } from './signed-timestamp.ts';

/** Only a promise (SET) signs the integrated time; next to a bare inclusion proof it is anybody's claim. */
export const isDated = ({ inclusionPromise, integratedTime }: TransparencyLogEntry): boolean =>
  inclusionPromise !== undefined && Number(integratedTime) > 0;

/** The times that these would say once they are verified, the earliest first. */
export function trustedTimes(
  dated: readonly TransparencyLogEntry[],
  timestamps: readonly SignedTimestamp[],
): readonly TrustedTime[] {
  return [
    ...dated.map(({ integratedTime }) => ({
      timeMs: Number(integratedTime) * 1000,
      source: 'TransparencyLog' as const,
    })),
    ...timestamps.map(({ signingTime }) => ({
      timeMs: signingTime.getTime(),
      source: 'SignedTimestamp' as const,
    })),
  ].sort((a, b) => a.timeMs - b.timeMs);
}
