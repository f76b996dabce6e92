import { notReady } from './not-ready.ts';
import type { PolicySnapshot } from './snapshot.ts';

/** Why requirements of the new snapshot are not ready, a sentence each, as far as that was not so before. */
export function newlyNotReady(before: PolicySnapshot | undefined, after: PolicySnapshot): string[] {
  const sentences = (snapshot: PolicySnapshot): string[] =>
    notReady(snapshot).map(
      ({ policy, requirement, failure }) => `Policy ${policy} (${requirement}): ${failure.message}`,
    );
  const known = new Set(before === undefined ? [] : sentences(before));
  return sentences(after).filter((sentence) => !known.has(sentence));
}
