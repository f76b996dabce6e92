import { describe, expect, it } from 'vitest';
import { HostGate } from '../../src/registry/host-gate.ts';
import { expectFailure } from './registry-access.ts';

const never = new AbortController().signal;

describe('HostGate', () => {
  it('lets in as many as it may to each host, then in the order of arrival', async () => {
    const gate = new HostGate(1, 5);
    const order: string[] = [];
    const leaveFirst = await gate.enter('a', never);
    await gate.enter('b', never);
    const second = gate.enter('a', never).then((leave) => {
      order.push('second');
      leave();
    });
    const third = gate.enter('a', never).then((leave) => {
      order.push('third');
      leave();
    });
    await Promise.resolve();
    expect(order).toEqual([]);
    leaveFirst();
    await Promise.all([second, third]);
    expect(order).toEqual(['second', 'third']);
    (await gate.enter('a', never))();
  });

  it('T39 refuses what would wait behind a full queue, and forgets who left', async () => {
    const gate = new HostGate(1, 1);
    const leave = await gate.enter('a', never);
    const gone = new AbortController();
    const waiting = gate.enter('a', gone.signal);
    await expectFailure(gate.enter('a', never), 'Overloaded', 'Too many requests are waiting for a.');
    gone.abort();
    await expectFailure(waiting, 'Overloaded', 'A request waited too long for its turn at a.');
    const next = gate.enter('a', never);
    leave();
    (await next)();
  });
});
