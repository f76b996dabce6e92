import { describe, expect, it } from 'vitest';
import { setImmediate } from 'node:timers/promises';
import { Turn } from '../../src/image/turns.ts';

function work(durationMs: number): void {
  const endMs = performance.now() + durationMs;
  while (performance.now() < endMs);
}

describe('Turn', () => {
  it('is over after some milliseconds, and not before', async () => {
    const turn = new Turn();
    expect(turn.isOver()).toBe(false);
    work(10);
    expect(turn.isOver()).toBe(true);
    await turn.next();
    expect(turn.isOver()).toBe(false);
  });

  it('lets whatever is due go on between any two, whoever they are of', async () => {
    const order: string[] = [];
    const take = async (name: string): Promise<void> => {
      const turn = new Turn();
      for (let i = 0; i < 3; i++) {
        await turn.next();
        order.push(name);
      }
    };
    const others = async (): Promise<void> => {
      while (order.filter((name) => name !== '-').length < 6) {
        await setImmediate();
        order.push('-');
      }
    };
    await Promise.all([take('a'), take('b'), others()]);
    expect(order.join('')).toMatch(/^(?:[ab]?-)+[ab]?$/);
    expect(order.filter((name) => name === 'a')).toHaveLength(3);
  });

  it('ends for whoever has left', async () => {
    const turn = new Turn(AbortSignal.abort());
    await expect(turn.next()).rejects.toMatchObject({
      code: 'DeadlineExceeded',
      message: 'The decision was not reached within the time that the caller gave.',
    });
  });
});
