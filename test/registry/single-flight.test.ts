import { describe, expect, it } from 'vitest';
import { SingleFlight } from '../../src/registry/single-flight.ts';
import type { SharedWork } from '../../src/registry/single-flight.ts';
import { expectFailure } from './registry-access.ts';

const never = new AbortController().signal;

describe('SingleFlight', () => {
  it('does equal work once at a time, and keeps neither results nor failures', async () => {
    const flights = new SingleFlight<number>(10, 1_000);
    let runs = 0;
    const work = (): Promise<number> => Promise.resolve(++runs);
    expect(await Promise.all([flights.run('a', never, work), flights.run('a', never, work)])).toEqual([1, 1]);
    expect(await flights.run('a', never, work)).toBe(2);
    const failing = flights.run('a', never, () => Promise.reject(new Error('no')));
    await expect(failing).rejects.toThrow('no');
    expect(await flights.run('a', never, work)).toBe(3);
  });

  it('T28 a caller that leaves ends its own wait only', async () => {
    const flights = new SingleFlight<string>(10, 1_000);
    const { promise, resolve } = Promise.withResolvers<string>();
    const impatient = new AbortController();
    let work: SharedWork | undefined;
    const start = (shared: SharedWork): Promise<string> => {
      work = shared;
      return promise;
    };
    const left = flights.run('a', impatient.signal, start);
    const stays = flights.run('a', never, start);
    await Promise.resolve();
    impatient.abort();
    const message = 'The decision was not reached within the time that the caller gave.';
    await expectFailure(left, 'DeadlineExceeded', message);
    expect([work?.signal.aborted, work?.isAwaited()]).toEqual([false, true]);
    resolve('found');
    expect(await stays).toBe('found');
    expect(work?.isAwaited()).toBe(false);
    await expectFailure(flights.run('a', impatient.signal, start), 'DeadlineExceeded', message);
  });

  it('T11 bounds the work under way, and its time', async () => {
    const flights = new SingleFlight<never>(1, 5);
    const stuck = flights.run('a', never, ({ signal }) => {
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          reject(new Error('out of time'));
        });
      });
    });
    const second = flights.run('b', never, () => Promise.reject(new Error('must not start')));
    await expectFailure(second, 'Overloaded', 'Too many registry requests are under way.');
    await expect(stuck).rejects.toThrow('out of time');
  });
});
