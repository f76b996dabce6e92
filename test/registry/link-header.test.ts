import { describe, expect, it } from 'vitest';
import { parseNextLink } from '../../src/registry/link-header.ts';

describe('parseNextLink', () => {
  it.each([
    ['</v2/a/referrers/x?last=1>; rel="next"', '/v2/a/referrers/x?last=1'],
    ['<?n=5&last=a,b>;rel=next', '?n=5&last=a,b'],
    ['</first>; rel="first", </second>; title="a, b"; REL="next"', '/second'],
    // RFC 8288: several relation types, quoted pairs, names that are tokens, empty elements, the first rel only.
    ['</last>; rel="last next"', '/last'],
    ['</p>; title="a \\" b, c; d"; rel=next', '/p'],
    ["</p>; title*=UTF-8''a%20b; x-1; hreflang=de; rel=next", '/p'],
    ['</first>; rel=first;, , </p> ; ; rel = next ,', '/p'],
    ['</p>; rel=prev; rel=next', undefined],
    ['</p>; rel=prev; title="; rel=next"', undefined],
    ['</p>; rel="prev"', undefined],
    ['</p>; rel="nextish"', undefined],
    [undefined, undefined],
    ['', undefined],
  ])('%s -> %s', (header, expected) => {
    expect(parseNextLink(header, 'the list')).toBe(expected);
  });

  it.each(['/v2/a>; rel=next', '<a; rel="next"', 'nonsense', `<${'a'.repeat(9_000)}>; rel="next"`])(
    'T11 pages do not get lost by an odd header: %s',
    (header) => {
      expect(() => parseNextLink(header, 'the list')).toThrow(
        expect.objectContaining({
          code: 'RegistryProtocolError',
          message: 'the list: the Link header does not parse.',
        }),
      );
    },
  );
});
