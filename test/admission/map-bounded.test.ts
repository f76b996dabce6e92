import { describe, expect, it } from 'vitest';
import { mapBounded } from '../../src/admission/map-bounded.ts';

describe('mapBounded', () => {
  it('T39 keeps the order and never has more under way than it may', async () => {
    let running = 0;
    let most = 0;
    const results = await mapBounded([...Array(100).keys()], 8, async (item) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      return item * 2;
    });
    expect(results).toEqual([...Array(100).keys()].map((item) => item * 2));
    expect(most).toBe(8);
  });

  it('rejects with what an item rejects with, and maps nothing to nothing', async () => {
    await expect(mapBounded([1, 2], 2, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await mapBounded([], 8, () => Promise.resolve(1))).toEqual([]);
  });
});
