import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseChallenges } from '../../src/registry/www-authenticate.ts';

const plain = (header: string | string[] | undefined): unknown =>
  parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

describe('parseChallenges', () => {
  it('reads quoted and bare parameters, and several challenges in one or more headers', () => {
    expect(plain('Bearer realm="https://auth.example/token",service="reg",scope="a:b:pull,push"')).toEqual([
      ['bearer', { realm: 'https://auth.example/token', service: 'reg', scope: 'a:b:pull,push' }],
    ]);
    expect(plain('Negotiate, BASIC Realm = "a \\"b\\"" , Bearer realm=x')).toEqual([
      ['negotiate', {}],
      ['basic', { realm: 'a "b"' }],
      ['bearer', { realm: 'x' }],
    ]);
    expect(plain(['Basic realm="one"', 'Bearer realm="two"'])).toEqual([
      ['basic', { realm: 'one' }],
      ['bearer', { realm: 'two' }],
    ]);
    expect(plain('NTLM TlRMTVNTUAAB==, Basic realm=x')).toEqual([
      ['ntlm', {}],
      ['basic', { realm: 'x' }],
    ]);
  });

  it('T09 keeps the first of a repeated parameter, and stops where the grammar ends', () => {
    expect(plain('Bearer realm="https://a",realm="https://b"')).toEqual([['bearer', { realm: 'https://a' }]]);
    expect(plain('Bearer realm="never closed')).toEqual([['bearer', {}]]);
    expect(plain('"Bearer" realm=x')).toEqual([]);
    expect(plain(undefined)).toEqual([]);
  });

  it('T11 reads no header past its bound, and few challenges', () => {
    expect(plain(`Bearer realm="${'x'.repeat(9_000)}"`)).toEqual([]);
    expect(parseChallenges('a=b,'.repeat(1_500)).length).toBeLessThanOrEqual(16);
  });

  it('T09 survives anything', () => {
    const pieces = fc.constantFrom('Bearer', 'Basic', ' ', ',', '=', '"', '\\', 'realm', ';', '\u0000', 'é');
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 60 }), (parts) => {
        for (const { scheme } of parseChallenges(parts.join(''))) expect(scheme).toMatch(/^[^\s,="\\]+$/);
      }),
    );
  });

  // RFC 9110, 11.6.1: a scheme with a token68, or with parameters of different names.
  const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,8}$/);
  const value = fc.string({ unit: fc.constantFrom(...Array.from('ab:/,="\\ é')), maxLength: 12 });
  const challenge = fc.oneof(
    fc.record({ scheme: token, token68: fc.stringMatching(/^[A-Za-z0-9._~+/-]{1,12}={0,2}$/) }),
    fc.record({
      scheme: token,
      parameters: fc.uniqueArray(fc.tuple(token, value), {
        selector: ([name]) => name.toLowerCase(),
        maxLength: 4,
      }),
    }),
  );

  it('T09 reads every challenge of the grammar back, however it is written', () => {
    const separators = fc.constantFrom(',', ', ', ' ,\t', ', ,');
    fc.assert(
      fc.property(
        fc.array(challenge, { maxLength: 5 }),
        separators,
        fc.constantFrom('', ' '),
        fc.boolean(),
        (challenges, comma, space, isBare) => {
          const written = challenges.map((each) => {
            if ('token68' in each) return `${each.scheme} ${each.token68}`;
            const parameters = each.parameters.map(([name, text]) => {
              const bare = isBare && /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(text);
              const shown = bare ? text : `"${text.replace(/["\\]/g, '\\$&')}"`;
              return `${name}${space}=${space}${shown}`;
            });
            return [each.scheme, parameters.join(comma)].join(' ').trimEnd();
          });
          const expected = challenges.map((each) => [
            each.scheme.toLowerCase(),
            'token68' in each
              ? {}
              : Object.fromEntries(each.parameters.map(([name, text]) => [name.toLowerCase(), text])),
          ]);
          expect(plain(written.join(comma)), written.join(comma)).toEqual(expected);
          expect(plain(written)).toEqual(expected);
        },
      ),
      { seed: 7235, numRuns: 3000 },
    );
  });
});
