import { describe, expect, it } from 'vitest';
import { MeteredCache } from '../../src/admission/metered-cache.ts';

describe('MeteredCache', () => {
  it('counts what is unknown and what is no longer believed as misses', () => {
    const cache = new MeteredCache<number>('times', { maxEntries: 2 });
    expect(cache.read('a')).toBeUndefined();
    cache.set('a', 5);
    expect(cache.read('a')).toBe(5);
    expect(cache.read('a', (value) => value > 5)).toBeUndefined();
    expect(cache.peek('a')).toBe(5);
    expect(cache.counts()).toEqual({
      name: 'times',
      hits: 1,
      misses: 2,
      evictions: 0,
      entries: 1,
      bytes: undefined,
    });
  });

  it('counts as evicted what made room, not what was replaced or deleted', () => {
    const cache = new MeteredCache<number>('times', { maxEntries: 2 });
    for (const key of ['a', 'b', 'b', 'c']) cache.set(key, 1);
    cache.delete('c');
    expect(cache.counts()).toMatchObject({ evictions: 1, entries: 1 });
    expect(cache.peek('a')).toBeUndefined();
  });

  it('T11 is bounded by the sum of its sizes, and keeps nothing larger than that', () => {
    const cache = new MeteredCache<Uint8Array>('blobs', { maxBytes: 10, sizeOf: (bytes) => bytes.length });
    cache.set('a', new Uint8Array(6));
    cache.set('b', new Uint8Array(6));
    expect(cache.counts()).toMatchObject({ entries: 1, bytes: 6, evictions: 1 });
    cache.set('b', new Uint8Array(11));
    expect(cache.counts()).toMatchObject({ entries: 0, bytes: 0 });
  });
});
