import { assert, constantFrom, array, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileImagePattern } from '../../../src/image/pattern.ts';
import { isPlainHost, normalizeRegistry } from '../../../src/image/reference.ts';
import { imagePattern, imagePatternRules } from '../../../src/policy/model/image-pattern.ts';
import { celRules } from './cel-rules.ts';

const apiServerTakes = celRules(imagePatternRules);

function compiles(text: string): boolean {
  try {
    compileImagePattern(text);
    return true;
  } catch {
    return false;
  }
}

describe('imagePattern', () => {
  it.each([
    ['**/nginx', 'Image pattern "**/nginx": ** stands for no host: write */** for any'],
    ['ghcr.io/a**', 'Image pattern "ghcr.io/a**": ** stands alone in a segment, unlike in "a**"'],
    ['ghcr.io', 'Image pattern "ghcr.io": a host selects nothing without a path: write host/**'],
  ])('T22 refuses %j as the compiler does', (text, message) => {
    expect(imagePattern.safeParse(text).error?.issues).toMatchObject([{ message }]);
  });

  it.each([
    ['10.1/**', false],
    ['10.0.0.256/**', false],
    ['a.0x1f/**', false],
    ['7:5000/**', false],
    ['*.1/**', true],
    ['10.0.0.255:5000/**', true],
    ['v1.10/**', false],
    ['ghcr.io/1.10/**', true],
  ])('T22 the API server knows addresses as the compiler does: %s %s', (text, taken) => {
    expect([apiServerTakes(text), compiles(text)]).toEqual([taken, taken]);
  });

  it.each(['**', 'nginx', 'ghcr.io/acme/**', '*/**', '*.example.com:5000/a*b/**/c:v1.*@sha256:ab*'])(
    'takes %j',
    (text) => {
      expect(imagePattern.safeParse(text).success).toBe(true);
      expect(apiServerTakes(text)).toBe(true);
    },
  );

  const digests = [
    ...['sha256', 'sha512', 'md5', 'sha*', '*'].flatMap((algorithm) =>
      ['0a'.repeat(32), '0a'.repeat(64), '0a'.repeat(31), '*', '0a*', '', 'A*'].map(
        (hex) => `@${algorithm}:${hex}`,
      ),
    ),
    '@*',
    '@',
  ];
  it.each(digests)('T22 the API server knows digests as the compiler does: %s', (digest) => {
    expect(apiServerTakes(`ghcr.io/acme/app${digest}`)).toBe(compiles(`ghcr.io/acme/app${digest}`));
  });

  it('T22 the rules of the API server take what compiles, and nothing else', () => {
    const parts =
      'ghcr.io localhost docker.io [::1] 127. 0x1f 256 a b c. _ - . / / / * ** : @ :05 :5000 A sha256:0a é'
        .split(' ')
        .concat(' ', ...digests);
    assert(
      property(array(constantFrom(...parts), { minLength: 1, maxLength: 7 }), (chosen) => {
        const text = chosen.join('');
        const first = text.slice(0, Math.max(text.indexOf('/'), 0));
        // Only a URL parser knows of these: they are left to the check here.
        if (/^\[|xn--/.test(first) && !isPlainHost(normalizeRegistry(first))) return true;
        return apiServerTakes(text) === compiles(text);
      }),
      { numRuns: 20_000, seed: 22 },
    );
  });
});
