import { describe, expect, it } from 'vitest';
import { untilAborted } from '../../src/admission/until-aborted.ts';

const overdue = expect.objectContaining({
  code: 'DeadlineExceeded',
  message: 'The decision was not reached within the time that the caller gave.',
}) as unknown;

describe('untilAborted', () => {
  it('gives what the work gives, value or error', async () => {
    const { signal } = new AbortController();
    await expect(untilAborted(Promise.resolve(1), signal)).resolves.toBe(1);
    await expect(untilAborted(Promise.reject(new Error('its own')), signal)).rejects.toThrow('its own');
  });

  it('T28 ends the wait, not the work, when the signal is aborted', async () => {
    const ending = new AbortController();
    const work = Promise.withResolvers<number>();
    const waiting = untilAborted(work.promise, ending.signal);
    ending.abort();
    await expect(waiting).rejects.toThrow(overdue);
    work.resolve(1);
    await expect(work.promise).resolves.toBe(1);
  });

  it('T28 waits for nothing when the signal was aborted before', async () => {
    await expect(untilAborted(new Promise(() => undefined), AbortSignal.abort())).rejects.toThrow(overdue);
  });

  it('leaves no listener behind', async () => {
    const ending = new AbortController();
    let listeners = 0;
    const { signal } = ending;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners--;
      remove(...args);
    };
    await Promise.all([untilAborted(Promise.resolve(1), signal), untilAborted(Promise.resolve(2), signal)]);
    expect(listeners).toBe(0);
  });
});
