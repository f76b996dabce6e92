import type { Turn } from '../image/turns.ts';
import type { CompiledPolicy } from '../policy/snapshot.ts';

/** Those of the policies for which it holds. Many patterns and images take seconds, in which others are answered, too. */
export async function selectPolicies(
  policies: Iterable<CompiledPolicy>,
  holds: (policy: CompiledPolicy) => boolean,
  turn: Turn,
): Promise<ReadonlySet<CompiledPolicy>> {
  return new Set(await Array.fromAsync(selecting(policies, holds, turn)));
}

/** Whether it holds for any of the policies; none is looked at after the first. */
export async function somePolicy(
  policies: Iterable<CompiledPolicy>,
  holds: (policy: CompiledPolicy) => boolean,
  turn: Turn,
): Promise<boolean> {
  const { done } = await selecting(policies, holds, turn).next();
  return done !== true;
}

async function* selecting(
  policies: Iterable<CompiledPolicy>,
  holds: (policy: CompiledPolicy) => boolean,
  turn: Turn,
): AsyncGenerator<CompiledPolicy, void> {
  for (const policy of policies) {
    if (await turn.do(() => holds(policy))) yield policy;
  }
}
