import { describe, expect, it } from 'vitest';
import { ByteBudget, freeArtifactBytes } from '../../src/admission/byte-budget.ts';

const miB = 1024 * 1024;
const signal = new AbortController().signal;

/** Whether a reservation is through, after everything that could settle has. */
async function state(reservation: Promise<unknown>): Promise<'through' | 'waits'> {
  const turn = new Promise((resolve) => setImmediate(resolve)).then(() => 'waits' as const);
  return Promise.race([reservation.then(() => 'through' as const), turn]);
}

describe('ByteBudget', () => {
  it('T11 lets in what there is room for, in the order of asking', async () => {
    const budget = new ByteBudget(10 * miB);
    const first = await budget.reserve(6 * miB, signal);
    const large = budget.reserve(8 * miB, signal);
    const small = budget.reserve(2 * miB, signal);
    expect(await state(large)).toBe('waits');
    expect(await state(small)).toBe('waits');
    first();
    expect(await state(large)).toBe('through');
    expect(await state(small)).toBe('through');
    const next = budget.reserve(1 * miB, signal);
    expect(await state(next)).toBe('waits');
    (await small)();
    expect(await state(next)).toBe('through');
  });

  it('T29 never keeps an ordinary signature waiting', async () => {
    const budget = new ByteBudget(miB);
    await budget.reserve(miB, signal);
    expect(await state(budget.reserve(freeArtifactBytes, signal))).toBe('through');
  });

  it('lets what is larger than the budget go alone', async () => {
    const budget = new ByteBudget(2 * miB);
    const release = await budget.reserve(50 * miB, signal);
    const other = budget.reserve(miB, signal);
    expect(await state(other)).toBe('waits');
    release();
    expect(await state(other)).toBe('through');
  });

  it('T28 ends a wait with the time of the caller, and others move up', async () => {
    const budget = new ByteBudget(2 * miB);
    const release = await budget.reserve(miB, signal);
    const ending = new AbortController();
    const large = budget.reserve(2 * miB, ending.signal);
    const small = budget.reserve(miB, signal);
    ending.abort();
    await expect(large).rejects.toMatchObject({ code: 'DeadlineExceeded' });
    expect(await state(small)).toBe('through');
    release();
    await expect(budget.reserve(2 * miB, AbortSignal.abort())).rejects.toMatchObject({
      code: 'DeadlineExceeded',
      message: 'The decision was not reached within the time that the caller gave.',
    });
  });
});
