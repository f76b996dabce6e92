import { toFailure } from '../failures/failure.ts';
import type { VerifiedEvidence } from '../policy/evidence.ts';
import type { FindingsLedger } from './findings-ledger.ts';
import type { Candidate, DiscoveryEnd, ParentIndex, UnusableReferrer } from './ports.ts';

/**
 * Looks at all of a batch at once, then asks whether that was enough. What cannot be used is noted; a stream that throws,
 * or does not say that it is complete, leaves a gap.
 * @param visit true when no more is wanted.
 * @param about what the artifacts would have been good for.
 */
export async function drainEvents<T extends Candidate | ParentIndex>(
  ledger: Pick<FindingsLedger, 'end' | 'reject' | 'leaveGap'>,
  batches: AsyncIterable<readonly (T | UnusableReferrer | DiscoveryEnd)[]>,
  visit: (event: T) => Promise<boolean>,
  about?: VerifiedEvidence['kind'],
): Promise<void> {
  const ends: DiscoveryEnd[] = [];
  try {
    for await (const batch of batches) {
      const visits = batch.map(async (event) => {
        switch (event.kind) {
          case 'end':
            ends.push(event);
            ledger.end(event);
            return false;
          case 'unusable':
            ledger.reject(event.failure, event, about);
            return false;
          default:
            return await visit(event);
        }
      });
      if ((await Promise.all(visits)).includes(true)) return;
    }
  } catch (error) {
    ledger.leaveGap(toFailure(error));
    return;
  }
  if (ends.length === 0) ledger.leaveGap(toFailure(new Error('a discovery ended without saying so')));
}
