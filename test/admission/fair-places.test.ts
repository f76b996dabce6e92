import { describe, expect, it } from 'vitest';
import { FairPlaces } from '../../src/admission/fair-places.ts';

/** How many of `tries` the tenant gets. */
const takeAll = (places: FairPlaces, tenant: string, tries = 100): number =>
  Array.from({ length: tries }, () => places.take(tenant)).filter((place) => place !== undefined).length;

describe('FairPlaces', () => {
  it('T39 gives one tenant half, and every further one as much as is left free then', () => {
    const places = new FairPlaces(64);
    const each = ['a', 'b', 'c', 'd'].map((tenant) => takeAll(places, tenant));
    expect(each).toEqual([32, 16, 8, 4]);
    expect(takeAll(places, 'a')).toBe(0);
  });

  it('gives the only place to whoever comes first, and again when it is given back', () => {
    const places = new FairPlaces(1);
    const leave = places.take('a');
    expect(places.take('b')).toBeUndefined();
    leave?.();
    expect(places.take('b')).toBeTypeOf('function');
  });

  it('counts places of several sizes', () => {
    const places = new FairPlaces(100);
    expect(places.take('a', 101)).toBeUndefined();
    const leave = places.take('a', 60);
    expect(places.take('a', 1)).toBeUndefined();
    expect(places.take('b', 41)).toBeUndefined();
    expect(places.take('b', 20)).toBeTypeOf('function');
    leave?.();
    expect(places.take('a', 80)).toBeTypeOf('function');
  });
});
