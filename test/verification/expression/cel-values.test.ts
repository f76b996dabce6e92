import type { CelList, CelMap, CelValue } from '@bufbuild/cel';
import { describe, expect, it } from 'vitest';
import { joinCost, joinLists, toCelValue } from '../../../src/verification/expression/cel-values.ts';

const list = (...items: unknown[]): CelList => toCelValue(items) as CelList;
const items = (value: CelValue): unknown[] => [...(value as CelList)];

describe('a list that grows', () => {
  it('copies what is joined to it, and itself only when it is not at its end any more', () => {
    const [short, other] = [list('a'), list('b', 'c')];
    expect(joinCost(short, other)).toBe(3);
    const grown = joinLists(short, other);
    expect(items(grown)).toEqual(['a', 'b', 'c']);
    expect(joinCost(grown, other)).toBe(2);
    const longer = joinLists(grown, list('d'));
    expect(items(longer)).toEqual(['a', 'b', 'c', 'd']);
    // The former keeps its size, and what is joined to it now does not reach the other.
    expect(items(grown)).toEqual(['a', 'b', 'c']);
    expect(grown.get(3)).toBeUndefined();
    expect(joinCost(grown, other)).toBe(5);
    expect(items(joinLists(grown, list('e')))).toEqual(['a', 'b', 'c', 'e']);
    expect(items(longer)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('can be joined to itself', () => {
    const grown = joinLists(list('a'), list('b'));
    expect(items(joinLists(grown, grown))).toEqual(['a', 'b', 'a', 'b']);
  });

  it('has nothing beyond its ends, nor between', () => {
    const grown = joinLists(list('a'), list('b'));
    expect([-1, 0, 1, 2].map((index) => grown.get(index))).toEqual([undefined, 'a', 'b', undefined]);
    const plain = list('a');
    expect([-1, 0.5, 1].map((index) => plain.get(index))).toEqual([undefined, undefined, undefined]);
  });
});

describe('an object as a map', () => {
  const map = toCelValue({ a: 1, gone: undefined, b: { c: true }, d: null }) as CelMap;

  it('has its own properties that are something', () => {
    expect(map.size).toBe(3);
    expect([...map.keys()]).toEqual(['a', 'b', 'd']);
    expect([...map.values()].filter((value) => typeof value !== 'object')).toEqual([1n]);
    expect([...map.entries()].map(([key]) => key)).toEqual(['a', 'b', 'd']);
    expect([...map].map(([key]) => key)).toEqual(['a', 'b', 'd']);
    expect(['a', 'gone', 'toString', 1n].map((key) => map.has(key as string))).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect(map.get('gone')).toBeUndefined();
    expect(map.get('d')).toBeNull();
    const visited: unknown[] = [];
    map.forEach((value, key) => void visited.push([key, value === null || typeof value]));
    expect(visited).toEqual([
      ['a', 'bigint'],
      ['b', 'object'],
      ['d', true],
    ]);
  });
});

describe('what JSON has', () => {
  it('becomes what CEL has', () => {
    expect([true, 'a', 1, 1.5, 2 ** 53, null].map(toCelValue)).toEqual([true, 'a', 1n, 1.5, 2 ** 53, null]);
    expect(() => toCelValue(undefined)).toThrow(new TypeError('Expressions see no undefined.'));
  });
});
