import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { licensesOf } from '../../../src/verification/sbom/licenses.ts';

describe('licensesOf', () => {
  it.each([
    ['MIT', ['MIT']],
    ['MIT AND AGPL-3.0-only', ['MIT', 'AGPL-3.0-only']],
    ['(MIT OR (Apache-2.0 AND BSD-3-Clause))', ['MIT', 'Apache-2.0', 'BSD-3-Clause']],
    ['GPL-2.0-only WITH Classpath-exception-2.0 AND MIT', ['GPL-2.0-only', 'MIT']],
    ['GPL-2.0+ or mit', ['GPL-2.0+', 'mit']],
    ['DocumentRef-a:LicenseRef-b', ['DocumentRef-a:LicenseRef-b']],
    ['NOASSERTION', []],
    ['NONE', []],
    ['', []],
    [' \t', []],
    ['NOASSERTION AND AGPL-3.0-only', ['AGPL-3.0-only']],
  ])('finds the ids of %j', (text, ids) => {
    expect(licensesOf(text)).toEqual(ids);
  });

  it.each([
    'The Apache Software License, Version 2.0',
    'GPL v2 AND AGPL-3.0-only',
    'AGPL-3.0-only AND',
    'AND AGPL-3.0-only MIT',
    'MIT WITH',
    'none of them',
  ])('keeps %j whole', (text) => {
    expect(licensesOf(` ${text} `)).toEqual([text]);
  });

  it('finds a licence wherever it stands in an expression', () => {
    const id = fc
      .stringMatching(/^[A-Z][A-Za-z0-9.+-]{1,12}$/)
      .filter((text) => !/^(?:AND|OR|WITH|NONE|NOASSERTION)$/.test(text));
    const expression: fc.Arbitrary<string> = fc.letrec<{ node: string; leaf: string }>((tie) => ({
      node: fc.oneof(
        tie('leaf'),
        fc
          .tuple(tie('node'), fc.constantFrom('AND', 'OR'), tie('node'))
          .map(([left, operator, right]) => `(${left} ${operator} ${right})`),
      ),
      leaf: fc.oneof(
        id,
        id.map((license) => `${license} WITH Some-exception`),
      ),
    })).node;
    fc.assert(
      fc.property(expression, fc.constantFrom('AND', 'OR'), expression, (left, operator, right) => {
        expect(licensesOf(`${left} ${operator} AGPL-3.0-only ${operator} ${right}`)).toContain(
          'AGPL-3.0-only',
        );
      }),
    );
  });

  it('T30 takes linear time', () => {
    const text = '('.repeat(500_000) + 'MIT AND '.repeat(100_000) + 'MIT';
    expect(new Set(licensesOf(text))).toEqual(new Set(['MIT']));
    expect(licensesOf('MIT '.repeat(500_000))).toHaveLength(1);
  });
});
