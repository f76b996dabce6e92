import { describe, expect, it } from 'vitest';
import { RefwardenError } from '../../src/failures/failure.ts';
import { SingleFlight } from '../../src/registry/single-flight.ts';
import type { SharedWork } from '../../src/registry/single-flight.ts';
import { callerOf, expectFailure } from './registry-access.ts';

const shop = callerOf();
const other = callerOf('other');

describe('SingleFlight', () => {
  it('does equal work once at a time, and keeps neither results nor failures', async () => {
    const flights = new SingleFlight<number>(10, 1_000);
    let runs = 0;
    const work = (): Promise<number> => Promise.resolve(++runs);
    expect(await Promise.all([flights.run('a', shop, work), flights.run('a', shop, work)])).toEqual([1, 1]);
    expect(await flights.run('a', shop, work)).toBe(2);
    const failing = flights.run('a', shop, () => Promise.reject(new Error('no')));
    await expect(failing).rejects.toThrow('no');
    expect(await flights.run('a', shop, work)).toBe(3);
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
    const left = flights.run('a', callerOf('shop', impatient.signal), start);
    const stays = flights.run('a', shop, start);
    await Promise.resolve();
    impatient.abort();
    const message = 'The decision was not reached within the time that the caller gave.';
    await expectFailure(left, 'DeadlineExceeded', message);
    expect([work?.signal.aborted, work?.isAwaited()]).toEqual([false, true]);
    resolve('found');
    expect(await stays).toBe('found');
    expect(work?.isAwaited()).toBe(false);
    await expectFailure(
      flights.run('a', callerOf('shop', impatient.signal), start),
      'DeadlineExceeded',
      message,
    );
  });

  it('T11 bounds the work under way, and its time', async () => {
    const flights = new SingleFlight<never>(1, 5);
    const stuck = flights.run('a', shop, ({ signal }) => {
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          reject(new Error('out of time'));
        });
      });
    });
    const second = flights.run('b', shop, () => Promise.reject(new Error('must not start')));
    await expectFailure(second, 'Overloaded', 'Too many registry requests are under way.');
    await expect(stuck).rejects.toThrow('out of time');
  });

  it('T39 leaves room for others, however much one tenant has under way', async () => {
    const flights = new SingleFlight<string>(4, 1_000);
    const stuck = Promise.withResolvers<string>();
    const full = ['a', 'b'].map((key) => flights.run(key, shop, () => stuck.promise));
    const third = flights.run('c', shop, () => Promise.reject(new Error('must not start')));
    await expectFailure(third, 'Overloaded', 'Too many registry requests are under way.');
    expect(await flights.run('c', other, () => Promise.resolve('found'))).toBe('found');
    stuck.resolve('late');
    expect(await Promise.all(full)).toEqual(['late', 'late']);
    expect(await flights.run('c', shop, () => Promise.resolve('found'))).toBe('found');
  });

  it('T39 is begun anew for a tenant that would wait in the queue of another', async () => {
    const flights = new SingleFlight<string>(10, 1_000);
    const queued = Promise.withResolvers<string>();
    const first = flights.run('a', shop, ({ setQueued }) => {
      setQueued(true);
      return queued.promise;
    });
    await Promise.resolve();
    let runs = 0;
    const anew = (): Promise<string> => Promise.resolve(`own ${++runs}`);
    expect(await Promise.all([flights.run('a', other, anew), flights.run('a', other, anew)])).toEqual([
      'own 1',
      'own 1',
    ]);
    const same = flights.run('a', shop, () => Promise.reject(new Error('must not start')));
    queued.resolve('waited');
    expect(await Promise.all([first, same])).toEqual(['waited', 'waited']);
    expect(await flights.run('a', shop, anew)).toBe('own 2');
  });

  it.each(['RequestBudgetSpent', 'Overloaded'] as const)(
    'T39 is begun anew, once, for a tenant that joined what is refused on the account of another: %s',
    async (code) => {
      const flights = new SingleFlight<string>(10, 1_000);
      const refuse = (): Promise<string> => Promise.reject(new RefwardenError(code, 'Not you.'));
      const first = flights.run('a', shop, refuse);
      let runs = 0;
      const anew = (): Promise<string> => Promise.resolve(`own ${++runs}`);
      const joined = [flights.run('a', other, anew), flights.run('a', other, anew)];
      const alsoRefused = flights.run('a', callerOf('third'), refuse);
      await expectFailure(first, code, 'Not you.');
      expect(await Promise.all(joined)).toEqual(['own 1', 'own 1']);
      await expectFailure(alsoRefused, code, 'Not you.');
    },
  );

  it('shares what fails for any other reason', async () => {
    const flights = new SingleFlight<string>(10, 1_000);
    const down = new RefwardenError('RegistryUnavailable', 'Down.');
    const first = flights.run('a', shop, () => Promise.reject(down));
    const joined = flights.run('a', other, () => Promise.reject(new Error('must not start')));
    await expectFailure(first, 'RegistryUnavailable', 'Down.');
    await expectFailure(joined, 'RegistryUnavailable', 'Down.');
  });
});
