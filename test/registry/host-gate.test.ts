import { describe, expect, it } from 'vitest';
import { HostGate } from '../../src/registry/host-gate.ts';
import { TestClock, callerOf, expectFailure } from './registry-access.ts';

const shop = callerOf();

describe('HostGate', () => {
  it('lets in as many as it may to each host, then in the order of arrival', async () => {
    const gate = new HostGate(1, 5, new TestClock());
    const order: string[] = [];
    const leaveFirst = await gate.enter('a', shop);
    await gate.enter('b', shop);
    const second = gate.enter('a', shop).then((leave) => {
      order.push('second');
      leave();
    });
    const third = gate.enter('a', shop).then((leave) => {
      order.push('third');
      leave();
    });
    await Promise.resolve();
    expect(order).toEqual([]);
    leaveFirst();
    await Promise.all([second, third]);
    expect(order).toEqual(['second', 'third']);
    (await gate.enter('a', shop))();
  });

  it('T39 refuses what would wait behind a full queue, and forgets who left', async () => {
    const gate = new HostGate(1, 1, new TestClock());
    const leave = await gate.enter('a', shop);
    const gone = new AbortController();
    const waiting = gate.enter('a', callerOf('shop', gone.signal));
    await expectFailure(gate.enter('a', shop), 'Overloaded', 'Too many requests are waiting for a.');
    gone.abort();
    await expectFailure(waiting, 'Overloaded', 'A request waited too long for its turn at a.');
    const next = gate.enter('a', shop);
    leave();
    (await next)();
  });

  it('tells who enters when it has to wait, and when no more', async () => {
    const gate = new HostGate(1, 2, new TestClock());
    const first = callerOf();
    const leave = await gate.enter('a', first);
    const [admitted, refused] = [callerOf(), callerOf('shop', AbortSignal.abort())];
    const waiting = gate.enter('a', admitted);
    expect(admitted.queued).toEqual([true]);
    await expectFailure(
      gate.enter('a', refused),
      'Overloaded',
      'A request waited too long for its turn at a.',
    );
    leave();
    await waiting;
    expect([admitted.queued, refused.queued, first.queued]).toEqual([[true, false], [true, false], []]);
  });

  describe('T39 between tenants', () => {
    /** Everything of `tenants` enters and, once admitted, stays until told; returns who got in, in order. */
    function enterAll(gate: HostGate, tenants: readonly string[]) {
      const admitted: string[] = [];
      const leaves = new Map<string, (() => void)[]>();
      const refused: string[] = [];
      const all = tenants.map((name) =>
        gate.enter('a', callerOf(name)).then(
          (leave) => {
            admitted.push(name);
            leaves.set(name, [...(leaves.get(name) ?? []), leave]);
          },
          () => refused.push(name),
        ),
      );
      const settle = async (): Promise<void> => {
        for (let i = 0; i < 10; i++) await Promise.resolve();
      };
      return {
        admitted,
        refused,
        settle,
        all: Promise.all(all),
        leave: async (name: string): Promise<void> => {
          leaves.get(name)?.shift()?.();
          await settle();
        },
      };
    }

    it('one alone has every place; then a place goes to who has the fewest under way', async () => {
      const gate = new HostGate(8, 100, new TestClock());
      const flood = enterAll(gate, Array<string>(20).fill('flood'));
      await flood.settle();
      expect(flood.admitted).toHaveLength(8);
      const quiet = enterAll(gate, ['quiet', 'quiet', 'quiet']);
      await flood.leave('flood');
      expect([flood.admitted.length, quiet.admitted.length]).toEqual([8, 1]);
      // The last place stays free: it is for who has none.
      await flood.leave('flood');
      expect([flood.admitted.length, quiet.admitted.length]).toEqual([8, 1]);
      for (let i = 0; i < 2; i++) await flood.leave('flood');
      expect([flood.admitted.length, quiet.admitted.length]).toEqual([8, 3]);
      await quiet.leave('quiet');
      expect([flood.admitted.length, quiet.admitted.length]).toEqual([9, 3]);
    });

    it('a place is kept for who was about a moment ago, and no longer', async () => {
      const clock = new TestClock();
      const gate = new HostGate(4, 100, clock);
      const quiet = enterAll(gate, ['quiet']);
      await quiet.settle();
      await quiet.leave('quiet');
      const flood = enterAll(gate, Array<string>(10).fill('flood'));
      await flood.settle();
      expect(flood.admitted).toHaveLength(3);
      const again = enterAll(gate, ['quiet']);
      await again.settle();
      expect(again.admitted).toHaveLength(1);
      await again.leave('quiet');
      expect(flood.admitted).toHaveLength(3);
      clock.advance(5_000);
      await flood.leave('flood');
      expect(flood.admitted).toHaveLength(5);
    });

    it('takes turns where all have as many under way', async () => {
      const gate = new HostGate(1, 100, new TestClock());
      const entered = enterAll(gate, ['a', 'a', 'a', 'a', 'b', 'b', 'c', 'c']);
      await entered.settle();
      for (let i = 0; i < 8; i++) await entered.leave(entered.admitted.at(-1) ?? '');
      expect(entered.admitted.join('')).toBe('aabcabca');
    });

    it('a full queue turns away from the longest line, the oldest first, and never from a shorter one', async () => {
      const gate = new HostGate(1, 4, new TestClock());
      const flood = enterAll(gate, Array<string>(6).fill('flood'));
      await flood.settle();
      expect(flood.refused).toHaveLength(1);
      const quiet = enterAll(gate, ['quiet', 'quiet', 'quiet']);
      await quiet.settle();
      expect([flood.refused.length, quiet.refused.length]).toEqual([3, 1]);
      const again = enterAll(gate, ['flood']);
      await again.settle();
      expect([flood.refused.length, quiet.refused.length, again.refused.length]).toEqual([3, 1, 1]);
    });

    it('one with a smaller share has no more than it, even alone', async () => {
      const gate = new HostGate(8, 100, new TestClock());
      const background = { ...callerOf('background'), tenant: { name: 'background', share: 0.25 } };
      const admitted: (() => void)[] = [];
      for (let i = 0; i < 5; i++) void gate.enter('a', background).then((leave) => admitted.push(leave));
      const shops = enterAll(gate, Array<string>(6).fill('shop'));
      await shops.settle();
      expect([admitted.length, shops.admitted.length]).toEqual([2, 5]);
      admitted[0]?.();
      await shops.settle();
      expect(admitted).toHaveLength(3);
    });
  });
});
