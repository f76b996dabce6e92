import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { selectPolicies } from '../../src/admission/select-policies.ts';
import { Turn } from '../../src/scheduling/fair-queue.ts';
import { clusterPolicy, compile, keyIssuer, signedBy } from '../policy/sample-resources.ts';

const { policies } = compile([
  keyIssuer('acme'),
  ...Array.from({ length: 20 }, (_, i) => clusterPolicy(`p${i}`, { require: [signedBy('acme')] })),
]);

/** As a pattern that takes long to match. */
function slowly<T>(answer: T): T {
  const endMs = performance.now() + 3;
  while (performance.now() < endMs);
  return answer;
}

describe('selectPolicies', () => {
  it('gives those for which it holds, in their order', async () => {
    const selected = await selectPolicies(policies, ({ name }) => name.endsWith('1'), new Turn('shop'));
    expect([...selected].map(({ name }) => name)).toEqual(['p1', 'p11']);
  });

  it('T39 lets others have their turn while it takes long', async () => {
    let isOver = false;
    let turnsOfOthers = 0;
    const others = async (): Promise<void> => {
      while (!isOver) {
        await setImmediate();
        turnsOfOthers++;
      }
    };
    const selecting = selectPolicies(policies, () => slowly(true), new Turn('shop')).finally(() => {
      isOver = true;
    });
    const [selected] = await Promise.all([selecting, others()]);
    expect(selected.size).toBe(20);
    // 60 ms of work, 5 ms or one policy a turn.
    expect(turnsOfOthers).toBeGreaterThanOrEqual(5);
  });

  it('T39 ends when the time for the review does', async () => {
    const ending = new AbortController();
    let asked = 0;
    const selecting = selectPolicies(
      policies,
      () => {
        if (++asked === 4) ending.abort();
        return slowly(true);
      },
      new Turn('shop', ending.signal),
    );
    await expect(selecting).rejects.toMatchObject({ code: 'DeadlineExceeded' });
    expect(asked).toBeLessThan(10);
  });
});
