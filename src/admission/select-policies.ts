import type { Turn } from '../image/turns.ts';
import type { CompiledPolicy } from '../policy/snapshot.ts';

/** Those of the policies for which it holds. Many patterns and images take seconds, in which others are answered, too. */
export async function selectPolicies(
  policies: Iterable<CompiledPolicy>,
  holds: (policy: CompiledPolicy) => boolean,
  turn: Turn,
): Promise<ReadonlySet<CompiledPolicy>> {
  const selected = new Set<CompiledPolicy>();
  for (const policy of policies) {
    if (turn.isOver()) await turn.next();
    if (holds(policy)) selected.add(policy);
  }
  return selected;
}
