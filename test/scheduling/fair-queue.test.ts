import { getEventListeners } from 'node:events';
import { setImmediate as nextTurnOfLoop } from 'node:timers/promises';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { FairQueue, installationTenant, Turn } from '../../src/scheduling/fair-queue.ts';
import type { Tenant } from '../../src/scheduling/fair-queue.ts';

function work(durationMs: number): void {
  const endMs = performance.now() + durationMs;
  while (performance.now() < endMs);
}

/** Counts the turns of the event loop until it is told to end. */
function countTurns(): () => number {
  let turns = 0;
  const count = (): void => {
    turns++;
    next = setImmediate(count);
  };
  let next = setImmediate(count);
  return () => {
    clearImmediate(next);
    return turns;
  };
}

/** Each test has a queue of its own. */
let queue: FairQueue;
beforeEach(() => {
  queue = new FairQueue();
});
const enter = (tenant: Tenant, signal?: AbortSignal): Turn => new Turn(tenant, signal, queue);

describe('Turn', () => {
  it('goes on for some milliseconds, then lets whatever is due go on', async () => {
    const turns = countTurns();
    const turn = enter('shop');
    expect(await turn.do(() => 'done')).toBe('done');
    await turn.do(() => {
      work(10);
    });
    expect(turns()).toBe(0);
    const more = countTurns();
    for (let i = 0; i < 2; i++) {
      await turn.do(() => {
        work(10);
      });
    }
    expect(more()).toBeGreaterThan(0);
  });

  it('gives back what the work throws', async () => {
    const turn = enter('shop');
    const failing = turn.do(() => {
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
  });

  it('T39 who brings little waits for nobody, and who brings much for itself, in the order that it came', async () => {
    const order: string[] = [];
    const take = async (tenant: string, name: string, pieces: number, durationMs: number): Promise<void> => {
      const turn = enter(tenant);
      for (let i = 0; i < pieces; i++) {
        await turn.do(() => {
          work(durationMs);
        });
        order.push(name);
      }
    };
    const greedy = ['a', 'b', 'c'].map((name) => take('greedy', name, 3, 6));
    await take('modest', 'modest', 3, 0.1);
    expect(order.slice(0, 2)).toEqual(['a', 'modest']);
    expect(order.indexOf('modest', 3)).toBeLessThan(5);
    await Promise.all(greedy);
    expect(order.filter((name) => name !== 'modest').join('')).toBe('abcabcabc');
  });

  it('T39 many tenants have one turn each before any has the next', async () => {
    const order: string[] = [];
    const take = async (tenant: string): Promise<void> => {
      const turn = enter(tenant);
      for (let i = 0; i < 3; i++) {
        await turn.do(() => {
          work(6);
        });
        order.push(tenant);
      }
    };
    const tenants = Array.from({ length: 8 }, (_, i) => `${i}`);
    await nextTurnOfLoop();
    const turns = countTurns();
    await Promise.all(tenants.map(take));
    // 24 pieces, four at most in one turn of the event loop.
    expect(turns()).toBeGreaterThanOrEqual(5);
    for (const round of [0, 1, 2]) {
      expect(new Set(order.slice(round * 8, round * 8 + 8)).size).toBe(8);
    }
  });

  it('T39 many that come anew go before nobody who waits', async () => {
    let served = 0;
    const newcomers: Promise<unknown>[] = [];
    const bringOne = (tenant: string): Promise<number> =>
      enter(tenant).do(() => {
        work(6);
        return ++served;
      });
    const waiting = Array.from({ length: 8 }, async (_, i) => {
      await bringOne(`waiting ${i}`);
      return bringOne(`waiting ${i}`);
    });
    for (let loop = 0; loop < 10; loop++) {
      await nextTurnOfLoop();
      for (let i = 0; i < 4; i++) newcomers.push(bringOne(`new ${loop} ${i}`));
    }
    expect(Math.max(...(await Promise.all(waiting)))).toBeLessThanOrEqual(24);
    await Promise.all(newcomers);
  });

  it('T39 the installation has its part of every turn, however many tenants there are', async () => {
    let isOver = false;
    let served = 0;
    const tenants = Array.from({ length: 40 }, async (_, i) => {
      const turn = enter(`${i}`);
      while (!isOver) {
        await turn.do(() => {
          work(6);
        });
        served++;
      }
    });
    await nextTurnOfLoop();
    const own = enter(installationTenant);
    for (let i = 0; i < 10; i++) {
      await own.do(() => {
        work(6);
      });
    }
    isOver = true;
    // A rotation for each piece were 400.
    expect(served).toBeLessThan(100);
    await Promise.all(tenants);
  });

  it('T39 tenants have their time beside long work of the installation', async () => {
    let served = 0;
    const own = enter(installationTenant);
    const compiling = (async () => {
      for (let i = 0; i < 20; i++) {
        await own.do(() => {
          work(25);
        });
      }
      return served;
    })();
    await nextTurnOfLoop();
    for (let i = 0; i < 5; i++) {
      await enter('shop').do(() => {
        work(6);
      });
      served++;
    }
    expect(await compiling).toBe(5);
  });

  it('T39 one place in the queue is for all work of a turn', async () => {
    const order: string[] = [];
    const add = async (turn: Turn, name: string): Promise<void> => {
      await turn.do(() => {
        work(6);
      });
      order.push(name);
    };
    const [first, second] = [enter('shop'), enter('shop')];
    const all = ['a', 'a', 'a', 'a'].map((name) => add(first, name));
    await Promise.all([...all, add(second, 'b')]);
    expect(order.slice(0, 3)).toContain('b');
  });

  it('T39 who comes later waits behind those of the same tenant, though there were time left', async () => {
    const order: string[] = [];
    const add = async (name: string, durationMs: number): Promise<void> => {
      await enter('shop').do(() => {
        work(durationMs);
      });
      order.push(name);
    };
    await add('first', 6);
    const early = ['a', 'b', 'c'].map((name) => add(name, 0.1));
    await early[0];
    await Promise.all([add('late', 0.1), ...early]);
    expect(order).toEqual(['first', 'a', 'b', 'c', 'late']);
  });

  it('does many small pieces together', async () => {
    const run = vi.spyOn(queue, 'run');
    const seen: number[] = [];
    await enter('shop').each(Array(1000).keys(), (i) => {
      seen.push(i);
    });
    expect(seen).toHaveLength(1000);
    expect(run.mock.calls.length).toBeLessThan(100);
    await enter('shop').each([], () => {
      throw new Error('nothing is there');
    });
  });

  it('says which it holds for, and whether for any, and looks at none after that', async () => {
    const isOdd = (i: number): boolean => i % 2 === 1;
    expect([...(await enter('shop').filter([1, 2, 3, 4, 5], isOdd))]).toEqual([1, 3, 5]);
    const seen: number[] = [];
    const isTwo = (i: number): boolean => seen.push(i) === 2;
    expect(await enter('shop').some([1, 2, 3], isTwo)).toBe(true);
    expect(seen).toEqual([1, 2]);
    expect(await enter('shop').some([2, 4], isOdd)).toBe(false);
  });

  it('T39 ends when the time for the work does', async () => {
    const ending = new AbortController();
    let asked = 0;
    const all = enter('shop', ending.signal).each(Array(20).keys(), () => {
      if (++asked === 4) ending.abort();
      work(3);
    });
    await expect(all).rejects.toMatchObject({ code: 'DeadlineExceeded' });
    expect(asked).toBeLessThan(10);
  });

  it('T39 gives others their turn between large pieces', async () => {
    const turns = countTurns();
    await enter('shop').each(Array(6).keys(), () => {
      work(6);
    });
    expect(turns()).toBeGreaterThanOrEqual(4);
  });

  it('ends at once for whoever leaves, and holds up nobody behind it', async () => {
    const ending = new AbortController();
    const spend = (turn: Turn): Promise<void> =>
      turn.do(() => {
        work(6);
      });
    await spend(enter('shop'));
    const turns = countTurns();
    const leaving = Array.from({ length: 5 }, () => spend(enter('shop', ending.signal)));
    const next = spend(enter('shop'));
    ending.abort();
    for (const one of await Promise.allSettled(leaving)) {
      expect(one).toMatchObject({
        status: 'rejected',
        reason: {
          code: 'DeadlineExceeded',
          message: 'The decision was not reached within the time that the caller gave.',
        },
      });
    }
    await next;
    expect(turns()).toBeLessThanOrEqual(2);
  });

  it('T39 as many go on in one turn of the loop as there is time for, and the time is given anew in each', async () => {
    const spend = (tenant: string, durationMs: number): Promise<void> =>
      enter(tenant).do(() => {
        work(durationMs);
      });
    const turns = countTurns();
    const long = ['a', 'b', 'c', 'd'].map((tenant) => spend(tenant, 25));
    await Promise.all(long);
    expect(turns()).toBeGreaterThanOrEqual(3);
    await nextTurnOfLoop();
    await nextTurnOfLoop();
    const more = countTurns();
    await spend('e', 1);
    expect(more()).toBe(0);
  });

  it('T39 who went on once waits again behind those that came meanwhile', async () => {
    const order: string[] = [];
    const take = async (turn: Turn, name: string, durationMs: number): Promise<void> => {
      await turn.do(() => {
        work(durationMs);
      });
      order.push(name);
    };
    const first = enter('shop');
    await take(first, 'first', 6);
    await take(first, 'first', 6);
    const others = ['a', 'b', 'c'].map((tenant) => take(enter(tenant), tenant, 25));
    const second = take(enter('shop'), 'second', 1);
    await nextTurnOfLoop();
    await Promise.all([take(first, 'again', 1), second, ...others]);
    expect(order).toEqual(['first', 'first', 'a', 'b', 'c', 'second', 'again']);
  });

  it('leaves nothing behind on the signal', async () => {
    const { signal } = new AbortController();
    const turn = enter('shop', signal);
    for (let i = 0; i < 3; i++) {
      await turn.do(() => {
        work(6);
      });
    }
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('completes work that pauses after each piece, and gives its result', async () => {
    function* pieces(): Generator<void, string> {
      for (let i = 0; i < 6; i++) {
        work(6);
        yield;
      }
      return 'all';
    }
    const turns = countTurns();
    expect(await enter('shop').complete(pieces())).toBe('all');
    expect(turns()).toBeGreaterThanOrEqual(4);
  });

  it('ends for whoever has left before', async () => {
    const turn = enter('shop', AbortSignal.abort());
    await turn.do(() => {
      work(6);
    });
    await expect(turn.do(() => undefined)).rejects.toMatchObject({ code: 'DeadlineExceeded' });
  });
});
