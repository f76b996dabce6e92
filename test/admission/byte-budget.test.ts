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
  it('T11 lets in what there is room for, in the order of asking of a tenant', async () => {
    const budget = new ByteBudget(20 * miB);
    const first = await budget.reserve(6 * miB, 'shop', signal);
    const large = budget.reserve(9 * miB, 'shop', signal);
    const small = budget.reserve(2 * miB, 'shop', signal);
    expect(await state(large)).toBe('waits');
    expect(await state(small)).toBe('waits');
    first();
    expect(await state(large)).toBe('through');
    expect(await state(small)).toBe('through');
    const next = budget.reserve(1 * miB, 'shop', signal);
    expect(await state(next)).toBe('waits');
    (await small)();
    expect(await state(next)).toBe('through');
  });

  it('T28 leaves room for others, however much one tenant asks for', async () => {
    const budget = new ByteBudget(20 * miB);
    await budget.reserve(10 * miB, 'mallory', signal);
    expect(await state(budget.reserve(miB, 'mallory', signal))).toBe('waits');
    expect(await state(budget.reserve(5 * miB, 'shop', signal))).toBe('through');
    expect(await state(budget.reserve(2 * miB, 'bank', signal))).toBe('through');
  });

  it('T29 never keeps an ordinary signature waiting', async () => {
    const budget = new ByteBudget(miB);
    await budget.reserve(miB, 'shop', signal);
    expect(await state(budget.reserve(freeArtifactBytes, 'shop', signal))).toBe('through');
  });

  it('lets what is larger than the part of a tenant go alone', async () => {
    const budget = new ByteBudget(4 * miB);
    const release = await budget.reserve(50 * miB, 'shop', signal);
    const other = budget.reserve(miB, 'shop', signal);
    expect(await state(other)).toBe('waits');
    release();
    expect(await state(other)).toBe('through');
  });

  it('T28 ends a wait with the time of the caller, and others move up', async () => {
    const budget = new ByteBudget(8 * miB);
    const release = await budget.reserve(3 * miB, 'shop', signal);
    const ending = new AbortController();
    const large = budget.reserve(4 * miB, 'shop', ending.signal);
    const small = budget.reserve(miB, 'shop', signal);
    expect(await state(small)).toBe('waits');
    ending.abort();
    await expect(large).rejects.toMatchObject({ code: 'DeadlineExceeded' });
    expect(await state(small)).toBe('through');
    release();
    await budget.reserve(4 * miB, 'bank', signal);
    await expect(budget.reserve(4 * miB, 'bank', AbortSignal.abort())).rejects.toMatchObject({
      code: 'DeadlineExceeded',
      message: 'The decision was not reached within the time that the caller gave.',
    });
  });
});
