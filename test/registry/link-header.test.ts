import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RefwardenError } from '../../src/failures/failure.ts';
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

  it.each([
    '/v2/a>; rel=next',
    '</a>; rel=next b',
    '</a></b>; rel=next',
    '<a; rel="next"',
    'nonsense',
    `<${'a'.repeat(9_000)}>; rel="next"`,
  ])('T11 pages do not get lost by an odd header: %s', (header) => {
    expect(() => parseNextLink(header, 'the list')).toThrow(
      expect.objectContaining({
        code: 'RegistryProtocolError',
        message: 'the list: the Link header does not parse.',
      }),
    );
  });

  // RFC 8288, 3, written from its grammar: links with parameters, each value bare or quoted.
  const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,8}$/);
  const blank = fc.constantFrom('', ' ', '\t ');
  // Any character may be written as a quoted pair, n as well.
  const quoted = (text: string): string => `"${text.replace(/["\\n]/g, '\\$&')}"`;
  const relation = fc.constantFrom(
    'next',
    'NEXT',
    'prev',
    'last next',
    'prev\tNext',
    'nextish',
    'first last',
    '',
  );
  const parameter = fc.oneof(
    fc.tuple(fc.constantFrom('rel', 'REL', 'Rel'), relation).map(([name, value]) => ({ name, value })),
    fc
      .tuple(
        token.filter((name) => name.toLowerCase() !== 'rel'),
        fc.option(fc.string({ unit: fc.constantFrom(...Array.from('ab<>;,="\\ é')), maxLength: 8 })),
      )
      .map(([name, value]) => ({ name, value })),
  );
  const links = fc.array(
    fc.record({
      uri: fc.string({ unit: fc.constantFrom(...Array.from('/v2?n=&,;"% é')), maxLength: 12 }),
      parameters: fc.array(parameter, { maxLength: 4 }),
    }),
    { maxLength: 4 },
  );

  it('T11 finds the first link whose first rel holds next, however the header is written', () => {
    let found = 0;
    fc.assert(
      fc.property(links, blank, fc.boolean(), (list, space, isBare) => {
        const header = list
          .map(({ uri, parameters }) => {
            const written = parameters.map(({ name, value }) => {
              if (value === null) return name;
              const bare = isBare && /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(value);
              return `${name}${space}=${space}${bare ? value : quoted(value)}`;
            });
            return [`<${uri}>`, ...written].join(`${space};${space}`);
          })
          .join(`${space},${space}`);
        const next = list.find(({ parameters }) => {
          const first = parameters.find(({ name }) => name.toLowerCase() === 'rel')?.value ?? '';
          return first
            .toLowerCase()
            .split(/[ \t]+/)
            .includes('next');
        });
        if (next !== undefined) found++;
        expect(parseNextLink(header, 'the list'), header).toBe(next?.uri);
        expect(parseNextLink([header, '</other>; rel=next'], 'the list')).toBe(next?.uri ?? '/other');
      }),
      { seed: 8288, numRuns: 3000 },
    );
    expect(found).toBeGreaterThan(500);
  });

  it('T11 gives a target that stands in the header, nothing, or a refusal, for any text', () => {
    const parts = fc.constantFrom('<', '>', '</a>', ';', 'rel', '=', 'next', '"', '\\', ',', ' ', 'é', '\n');
    const outcomes = { next: 0, none: 0, refused: 0 };
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 12 }), (chosen) => {
        const header = chosen.join('');
        try {
          const next = parseNextLink(header, 'the list');
          if (next !== undefined) expect(header).toContain(`<${next}>`);
          outcomes[next === undefined ? 'none' : 'next']++;
        } catch (error) {
          if (!(error instanceof RefwardenError)) throw error;
          expect(error.code).toBe('RegistryProtocolError');
          outcomes.refused++;
        }
      }),
      { seed: 8288, numRuns: 5000 },
    );
    expect(outcomes.refused).toBeGreaterThan(1000);
    expect(outcomes.none).toBeGreaterThan(20);
  });
});
