import { isCelList, isCelMap } from '@bufbuild/cel';
import { describe, expect, it } from 'vitest';
import { toCelValue } from '../../../src/verification/expression/cel-values.ts';
import { evaluate } from './evaluate.ts';

const predicate = {
  critical: 0,
  score: 7.5,
  large: 2 ** 60,
  none: null,
  passed: true,
  at: '2026-01-02T03:04:05Z',
  names: ['a', 'b'],
  nested: { list: [{ name: 'x', tags: ['t'] }] },
  empty: {},
};
const holds = (expression: string) => {
  expect(evaluate(expression, { predicate })).toBe('holds');
};

describe('data as CEL sees it', () => {
  it.each([
    'predicate.critical == 0 && predicate.critical + 1 == 1 && type(predicate.critical) == int',
    'predicate.score > 7 && predicate.score == 7.5 && type(predicate.score) == double',
    'predicate.large > 1.0 && type(predicate.large) == double',
    "predicate.none == null && has(predicate.none) && 'none' in predicate && !('nope' in predicate)",
    'predicate.passed && !has(predicate.nope)',
    "timestamp(predicate.at) < timestamp('2026-02-01T00:00:00Z') && timestamp(predicate.at).getFullYear() == 2026",
    "timestamp(predicate.at) - timestamp('2026-01-01T00:00:00Z') > duration('24h')",
    "timestamp(0) == timestamp('1970-01-01T00:00:00Z') && timestamp(1767225600) == timestamp('2026-01-01T00:00:00Z')",
    "predicate.names == ['a', 'b'] && 'a' in predicate.names && predicate.names[1] == 'b' && predicate.names.size() == 2",
    "predicate.nested == {'list': [{'name': 'x', 'tags': ['t']}]} && predicate['nested'].list[0].name == 'x'",
    "predicate.empty.size() == 0 && predicate.all(k, k != '') && predicate.names.map(n, n + n) == ['aa', 'bb']",
    "predicate.names.filter(n, n > 'a') + predicate.names == ['b', 'a', 'b']",
    "predicate.names.map(n, predicate.names.map(m, n + m)) == [['aa', 'ab'], ['ba', 'bb']]",
    "[predicate.names.filter(n, true)].map(l, l + l)[0] == ['a', 'b', 'a', 'b']",
    "int('12') == 12 && double('1.5e3') == 1500.0 && string(predicate.critical) == '0'",
    "'namespace'.startsWith('name') && 'abc'.matches('^a.c$') && !'abc'.matches('^b') && size('h\u00e9') == 2",
  ])('%s', holds);

  it('T26 is its own properties and nothing else', () => {
    const hostile = JSON.parse('{"__proto__": {"admin": true}, "a": 1}') as object;
    expect(evaluate('has(predicate.admin)', { predicate: hostile })).toMatch(/is false\.$/);
    expect(evaluate("predicate['__proto__'].admin", { predicate: hostile })).toBe('holds');
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      expect(evaluate(`has(predicate.${name}) || '${name}' in predicate`, { predicate })).toBe(
        `AssertionFailed: Asked. The expression has(predicate.${name}) || '${name}' in predicate is false.`,
      );
      expect(evaluate(`predicate.${name} == predicate.${name}`, { predicate })).toBe(
        `AssertionFailed: Asked. The expression predicate.${name} == predicate.${name} cannot be evaluated: field not found: ${name}.`,
      );
    }
  });

  it('is what the library takes for its own', () => {
    expect(isCelList(toCelValue([]))).toBe(true);
    expect(isCelMap(toCelValue({}))).toBe(true);
    expect(() => toCelValue(1n)).toThrow('Expressions see no bigint.');
  });
});

describe('an expression that is not true', () => {
  it.each([
    ['predicate.critical > 0', 'is false'],
    ['predicate.critical', 'gives neither true nor false'],
    ['predicate', 'gives neither true nor false'],
    ['predicate.nope == 1', 'cannot be evaluated: field not found: nope'],
    ['predicate.names[2] == ""', 'cannot be evaluated: index 2 out of bounds [0, -1)'],
    ['predicate.names.all(n, n.nope)', 'cannot be evaluated: field not found: nope'],
    ['predicate.names.size() / predicate.critical == 0', 'cannot be evaluated: int divide by zero'],
    [
      "predicate.critical + 'a' == ''",
      "cannot be evaluated: found no matching overload for '_+_' applied to '(int, string)'",
    ],
    ["int('') == 0", 'cannot be evaluated: The text is no int'],
    ["double('') == 0.0", 'cannot be evaluated: The text is no double'],
    ["int('0x1f') == 31", 'cannot be evaluated: The text is no int'],
    ["timestamp('yesterday') < timestamp(0)", 'cannot be evaluated: The text is no timestamp'],
    ["timestamp('2026-02-30T00:00:00Z') > timestamp(0)", 'cannot be evaluated: The text is no timestamp'],
    ["timestamp('2026-13-01T00:00:00Z') > timestamp(0)", 'cannot be evaluated: The text is no timestamp'],
    [
      "timestamp('2026-12-01') > timestamp(0)",
      expect.stringMatching(/cannot be evaluated: Failed to parse timestamp/),
    ],
    ['predicate.names.exists(n, n)', expect.stringMatching(/cannot be evaluated: type mismatch/)],
  ])('fails and says so: %s', (expression, why: unknown) => {
    const prefix = `AssertionFailed: Asked. The expression ${expression} `;
    const given = evaluate(expression, { predicate });
    expect(given.slice(0, prefix.length)).toBe(prefix);
    expect(given.slice(prefix.length, -1)).toEqual(why);
  });

  it('T31 says it in print, and briefly', () => {
    const said = evaluate(`predicate.a == '${'\u202e'.repeat(10)}${'x'.repeat(1000)}'`, {
      predicate: { a: '' },
    });
    expect(said).not.toMatch(/\p{C}/u);
    expect(said.length).toBeLessThan(400);
  });
});

describe('T30 an expression bomb', () => {
  const packages = Array.from({ length: 20_000 }, (_, i) => ({ name: `p${i}`, licenses: ['MIT'] }));
  const text = 'a'.repeat(1_000_000);
  const roots = { sbom: { packages }, predicate: { text, digits: '9'.repeat(1_000_000) } };
  const costly = (expression: string) => {
    expect(evaluate(expression, roots)).toMatch(
      /^ExpressionTooCostly: The expression .* takes more steps than it may\.$/,
    );
  };
  const times = (count: number, step: string) => step.repeat(count);

  it.each([
    ['loops within loops', "sbom.packages.all(p, sbom.packages.all(q, p.name != q.name + '!'))"],
    [
      'hidden behind an error that is absorbed',
      "sbom.packages.all(p, sbom.packages.all(q, p.name != q.name + '!')) || true",
    ],
    [
      'hidden in the condition of a choice',
      "[sbom.packages.all(p, sbom.packages.all(q, p.name != q.name + '!')) || true].size() == 1",
    ],
    [
      'over literal lists',
      `[${times(200, '1,')}1].all(x, [${times(200, '1,')}1].all(y, [x][0] == y${times(50, ' && [x][0] == y')}))`,
    ],
    ['doubling text', `['a']${times(60, '.map(x, x + x)')}[0] != ''`],
    ['doubling lists', `[[1]]${times(60, '.map(x, x + x)')}[0].all(x, x == 1)`],
    ['doubling trees', `[[1]]${times(30, '.map(x, [x, x])')} == [[1]]${times(30, '.map(x, [x, x])')}`],
    ['looking for a tree in trees', `[[1]]${times(60, '.map(x, [x, x])')}[0] in [1, 2]`],
    ['patterns over much text', "sbom.packages.all(p, !predicate.text.matches('(a|aa)+b'))"],
    [
      'long text in long text',
      "sbom.packages.all(p, !predicate.text.contains('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaab'))",
    ],
    ['bytes of text', 'sbom.packages.all(p, bytes(predicate.text).size() > 0)'],
    ['counting characters', 'sbom.packages.all(p, size(predicate.text) > 0)'],
    ['keys of a large map', 'sbom.packages.all(p, predicate.digits + predicate.digits != p.name)'],
  ])('is stopped and says so: %s', (_, expression) => {
    costly(expression);
  });

  it('is refused before a number of a million digits is made', () => {
    expect(evaluate('int(predicate.digits) > 0', roots)).toMatch(/The text is no int\.$/);
  });

  it('looks up time zones within the budget', () => {
    expect(evaluate("sbom.packages.all(p, timestamp(0).getHours('Europe/Berlin') == 1)", roots)).toMatch(
      /^ExpressionTooCostly/,
    );
  });

  it('leaves 20,000 packages of a real size room', () => {
    expect(evaluate("sbom.packages.all(p, !p.licenses.exists(l, l == 'AGPL-3.0-only'))", roots)).toBe(
      'holds',
    );
    expect(
      evaluate("sbom.packages.filter(p, p.name.startsWith('p1')).map(p, p.name).size() == 11111", roots),
    ).toBe('holds');
  });

  it('has a budget that is kept', () => {
    expect(evaluate('[1, 2, 3].all(x, x > 0)', {}, { steps: 10 })).toMatch(/^ExpressionTooCostly/);
    expect(evaluate('[1, 2, 3].all(x, x > 0)', {}, { steps: 100 })).toBe('holds');
    expect(evaluate('true', {}, { steps: NaN })).toBe('holds');
    expect(evaluate('1 == 1', {}, { steps: NaN })).toMatch(/^ExpressionTooCostly/);
  });
});
