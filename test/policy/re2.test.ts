import { RE2JS } from 're2js';
import { describe, expect, it } from 'vitest';
import { compileRe2, maxPatternLength } from '../../src/policy/re2.ts';

describe('compileRe2', () => {
  it.each([
    'a{1000}',
    '(a|b){0,100}c{3,}',
    '^https://github\\.com/acme/[^/]+/\\.github/workflows/release\\.ya?ml@refs/tags/v.*$',
    '[]a(]{30}',
    '[^]{5}]{30}',
    '[[:alpha:]{]{30}',
    '\\Q(a{9}\\E{3}',
    '(?i)(?:x{10}y{10}){3}',
    '(?P<name>\\pL{5}|\\p{Greek}{2}|\\x{10FFFF}{2})+?',
    '\\(\\[{4}\\{3\\}',
    'a{,5}{',
  ])('takes %j', (pattern) => {
    const size = RE2JS.compile(pattern).programSize();
    expect(compileRe2(pattern, size).programSize()).toBe(size);
  });

  it.each([
    ['a{1000}'.repeat(100), 'repeats too much'],
    ['(((a{10}){10}){10})'.repeat(20), 'repeats too much'],
    [`(\\Q)\\E${'a'.repeat(20)}){1000}`, 'repeats too much'],
    [`([)]${'a'.repeat(20)}){1000}`, 'repeats too much'],
    [`(\\)${'a'.repeat(20)}){1000}`, 'repeats too much'],
    [`(a${'(?i)b'.repeat(20)}){1000}`, 'repeats too much'],
    ['a'.repeat(maxPatternLength + 1), `is longer than ${maxPatternLength} characters`],
    ['(?=a)', 'is not RE2: invalid or unsupported Perl syntax: `(?=`'],
  ])('T30 refuses %j: %s', (pattern, why) => {
    expect(() => compileRe2(pattern, 2000)).toThrow(expect.objectContaining({ why }));
  });
});
