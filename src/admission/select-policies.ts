import type { Turn } from '../scheduling/fair-queue.ts';
import type { CompiledPolicy } from '../policy/snapshot.ts';

/** Those of the policies for which it holds. Many patterns and images take seconds, in which others are answered, too. */
export async function selectPolicies(
  policies: Iterable<CompiledPolicy>,
  holds: (policy: CompiledPolicy) => boolean,
  turn: Turn,
): Promise<ReadonlySet<CompiledPolicy>> {
  const selected = new Set<CompiledPolicy>();
  await turn.each(policies, (policy) => {
    if (holds(policy)) selected.add(policy);
  });
  return selected;
}

/** Whether it holds for any of the policies; none is looked at after the first. */
export async function somePolicy(
  policies: Iterable<CompiledPolicy>,
  holds: (policy: CompiledPolicy) => boolean,
  turn: Turn,
): Promise<boolean> {
  let isFound = false;
  await turn.each(policies, (policy) => {
    isFound = holds(policy);
    return isFound;
  });
  return isFound;
}
