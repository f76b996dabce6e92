import { describe, expect, it } from 'vitest';
import { evaluate } from './evaluate.ts';

const long = 'x'.repeat(80); // read in 11 steps: one, and one for each 8 characters
const predicate = {
  long,
  list: ['a', 'b', 'c', 'd'],
  big: Array.from({ length: 10 }, () => long),
  map: { a: 1, b: 2, c: 3 },
  deep: { a: [1, 2], b: { c: long } },
  at: '2026-01-02T03:04:05Z',
  n: 5,
};
const isTooCostly = (expression: string, steps: number): boolean =>
  evaluate(expression, { predicate }, { steps }).startsWith('ExpressionTooCostly');

describe('T26 what calls cost, in steps', () => {
  it.each([
    ['true', 0],
    ['predicate.long == predicate.long', 22],
    ['predicate.long != predicate.long', 22],
    // All that a list or a map holds is read.
    ['predicate.list == predicate.list', 21],
    ['predicate.big == predicate.big', 244],
    ['predicate.deep == predicate.deep', 48],
    ['predicate.map != predicate.map', 16],
    ['[predicate.list, predicate.list] == [predicate.list, predicate.list]', 50],
    // Each item is compared.
    ["'a' in predicate.list", 9],
    ['predicate.long in predicate.big', 120],
    ['predicate.list in [predicate.list]', 12],
    ["'a' in predicate.map", 1],
    // Each place is tried.
    ["predicate.long.contains('xxxxxxxx')", 22],
    ['predicate.long.contains(predicate.long)', 121],
    ["predicate.long.startsWith('x')", 13],
    ['size(predicate.map) == 3', 5],
    ['size(predicate.long) == 80', 13],
    // A pattern is compiled, and run as many times as it has instructions.
    ["predicate.long.matches('^x+$')", 66],
    ['timestamp(predicate.at).getFullYear() == 2026', 7],
    ["timestamp(predicate.at).getFullYear('UTC') == 2026", 1008],
    ["predicate.list.all(x, x != '')", 46],
    ["predicate.map.all(k, k != '')", 35],
    ['predicate.list + predicate.list == []', 30],
    ['string(predicate.n) == "5"', 4],
    ["duration('5s') == duration('5s')", 5],
  ])('%s: %d', (expression, steps) => {
    if (steps > 0) expect(isTooCostly(expression, steps - 1)).toBe(true);
    expect(isTooCostly(expression, steps)).toBe(false);
  });

  it('a pattern is paid for once as long as it is known', () => {
    const expression = "predicate.long.matches('^y+$')";
    expect(isTooCostly(expression, 66)).toBe(true); // compiled, and stopped in its run
    expect(isTooCostly(expression, 66)).toBe(false);
  });
});

describe('calls that the library takes and CEL does not', () => {
  const result = (expression: string): string => evaluate(expression, { predicate });

  it.each([
    [`int('${'0'.repeat(63)}7') == 7`, /^holds$/],
    [`int('${'0'.repeat(64)}7') == 7`, /The text is no int\./],
    [`duration('${'0'.repeat(63)}s') == duration('0s')`, /^holds$/],
    [`duration('${'0'.repeat(64)}s') == duration('0s')`, /The text is no duration\./],
    ["timestamp('2026-02-29T00:00:00Z') == timestamp(0)", /The text is no timestamp\./],
    ["timestamp('2028-02-29T00:00:00Z') > timestamp(0)", /^holds$/],
    ["string('x'.matches('x'))  == 'true'", /^holds$/],
    ["timestamp(1767225600) == timestamp('2026-01-01T00:00:00Z')", /^holds$/],
    ['int(timestamp(7)) == 7', /^holds$/],
    ["'12'.contains('2') && string(12) == '12'", /^holds$/],
  ])('%s', (expression, wanted) => {
    expect(result(expression)).toMatch(wanted);
  });
});
