import { describe, expect, it } from 'vitest';
import { checkExpression } from '../../../src/verification/expression/check-expression.ts';

const rootsOfAssert =
  'image, workload, namespaceObject, predicateType, predicate, sbom, provenance, vulnerabilities, vex';
const message = (expression: string, scope: 'assert' | 'crossCheck' = 'assert') => {
  const checked = checkExpression(expression, scope);
  expect(checked).toMatchObject({ code: 'ExpressionInvalid' });
  return 'message' in checked ? checked.message : '';
};

describe('checkExpression', () => {
  it.each([
    ["sbom.packages.all(p, p.name != '')", ['sbom']],
    ['image.tag == predicate.tag && image.digest == predicate.digest', ['image', 'predicate']],
    ['has(predicate.a) && has(sbom.created)', ['predicate', 'sbom']],
    ["namespaceObject.metadata.labels['env'] == workload.namespace", ['namespaceObject', 'workload']],
    ['[1, 2].all(sbom, sbom > 0)', []],
    ['sbom.packages.exists(sbom, sbom.name == "x")', ['sbom']],
    ['predicate.list.exists_one(x, x in predicate.others)', ['predicate']],
    [
      "predicate.list.map(x, x > 1, x * 2).filter(y, y == 4).size() == 1 ? true : vex.author == ''",
      ['predicate', 'vex'],
    ],
    ["{'a': image.tag}.a == '' || [provenance.builder] == []", ['image', 'provenance']],
    ['type(predicate.a) == string && dyn(1) == 1.0', ['predicate']],
    ["'namespace' == r'sbom' && \"image\" != '''vex'''", []],
    ['true', []],
    ['predicate.ok', ['predicate']],
    ["predicate['ok'] ? true : predicate.other", ['predicate']],
    ['predicate.ok ? true : 1', ['predicate']],
    ['dyn(predicate.ok)', ['predicate']],
  ])('says what %s names', (expression, uses) => {
    expect(checkExpression(expression, 'assert')).toEqual({ uses });
  });

  it.each([
    'sbom.packages.size()',
    'sbom.packages',
    'sbom',
    'sbom.packages.map(p, p.name)',
    'sbom.packages.filter(p, p.name == "x")',
    '"true"',
    '1 + 2',
    '[true]',
    'dyn(1)',
    '{"a": true}',
    'predicate.ok ? 1 : "x"',
  ])('refuses %s, which is neither true nor false', (expression) => {
    expect(message(expression)).toMatch(/it is neither true nor false, whatever it reads: compare it with/);
  });

  it.each([
    [
      'signatures.size() > 0',
      'assert',
      `signatures is known in crossChecks only; known here: ${rootsOfAssert} (at 1:1)`,
    ],
    [
      'predicate.a == 1',
      'crossCheck',
      'predicate is known in assert only; known here: image, workload, namespaceObject, signatures, attestations, sbom, provenance, vulnerabilities, vex (at 1:1)',
    ],
    [
      'true &&\n  sboms.packages == []',
      'assert',
      `sboms is not known; known here: ${rootsOfAssert} (at 2:3)`,
    ],
    ['sbom.packages.all(p, q == 1)', 'assert', `q is not known; known here: ${rootsOfAssert} (at 1:22)`],
    ['[1].all(p, true) && p == 1', 'assert', `p is not known; known here: ${rootsOfAssert} (at 1:21)`],
    ['constructor == 1', 'assert', `constructor is not known; known here: ${rootsOfAssert} (at 1:1)`],
    ['__proto__ == 1', 'assert', `__proto__ is not known; known here: ${rootsOfAssert} (at 1:1)`],
    ['frob(image)', 'assert', 'there is no function frob of that form (at 1:1)'],
    ['predicate.all(x)', 'assert', 'there is no function all of that form (at 1:10)'],
    [
      'google.protobuf.Timestamp{} == predicate',
      'assert',
      'there is no type google.protobuf.Timestamp (at 1:1)',
    ],
    [
      "predicate.a.matches('(')",
      'assert',
      'the pattern of matches is not RE2: missing closing ): `(` (at 1:21)',
    ],
    [
      'vulnerabilities.counts.critical == 0',
      'assert',
      'there is no field counts; known here: critical, high, medium, low, negligible, unknown, scanner, scannerVersion, scannedAt, findings (at 1:16)',
    ],
    [
      'sbom.packages.exists(p, p.license == "MIT")',
      'assert',
      'there is no field license; known here: name, group, version, purl, supplier, licenses (at 1:26)',
    ],
    ['has(provenance.materials[0].url)', 'assert', 'there is no field url; known here: uri, digest (at 1:1)'],
    [
      'attestations.all(a, a.sbom.packages.name != "")',
      'crossCheck',
      'there is no field name; a list has no fields: use exists, all, filter or map (at 1:36)',
    ],
    [
      'image.tag.major == "1"',
      'assert',
      'there is no field major; text and numbers have no fields (at 1:10)',
    ],
    [
      'sbom.constructor == 1',
      'assert',
      'there is no field constructor; known here: format, version, created, packages (at 1:5)',
    ],
  ] as const)('refuses %s', (expression, scope, why) => {
    expect(message(expression, scope)).toBe(`The expression cannot be used: ${why}.`);
  });

  it.each([
    'predicate.a.b[0].c == namespaceObject.metadata.labels.team',
    'provenance.materials.exists(m, m.digest.gitCommit == "")',
    'sbom.packages.filter(p, p.name != "")[0].anything == 1',
    'sbom.packages.all(sbom, sbom.purl != "")',
  ])('takes %s: what it selects is known at run time', (expression) => {
    expect(checkExpression(expression, 'assert')).toHaveProperty('uses');
  });

  it.each([
    ['', /^The expression does not parse: at 1:1, found end of input but expecting /],
    ['1 +', /^The expression does not parse: at 1:3, found \+ but expecting end of input\.$/],
    ['image.tag ==\n= 1', /^The expression does not parse: at 1:11, /],
    ['for == 1', /^The expression does not parse: at 1:1, reserved identifier\.$/],
    ['@result == 1', /^The expression does not parse: at 1:1, found @/],
    [
      "namespace.labels.env == 'prod'",
      /^The expression does not parse: at 1:1, reserved identifier\. CEL reserves the word namespace: write namespaceObject\.$/,
    ],
  ])('says where %j does not parse', (expression, why) => {
    expect(message(expression)).toMatch(why);
  });

  it('T30 bounds the length, the parts, the depth of loops and the nesting', () => {
    expect(message(`image.tag == '${'a'.repeat(4096)}'`)).toBe(
      'The expression is longer than 4096 characters.',
    );
    expect(checkExpression(`image.tag == '${'a'.repeat(4081)}'`, 'assert')).toEqual({ uses: ['image'] });
    expect(message(`true${' && true'.repeat(500)}`)).toMatch(
      /^The expression cannot be used: it has more than 1000 parts/,
    );
    expect(message('[[[1]]].all(x, x.all(y, y.all(z, z > 0)))')).toBe(
      'The expression cannot be used: loops (all, exists, map, ...) are nested deeper than 2 (at 1:26).',
    );
    expect(message(`[1].map(x, [1].map(y, [1].map(z, z))) == []`)).toMatch(/nested deeper than 2/);
    expect(checkExpression('[[1]].all(x, x.all(y, y > 0)) && [1].all(z, z > 0)', 'assert')).toEqual({
      uses: [],
    });
  });

  it('T30 bounds the nesting of brackets before it parses', () => {
    const nested = (depth: number): string => `size(${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}) == 1`;
    const tooDeep = 'The expression does not parse: its brackets are nested deeper than 32.';
    expect(checkExpression(nested(32), 'assert')).toEqual({ uses: [] });
    expect(message(nested(33))).toBe(tooDeep);
    for (const open of ['(', '[', '{1:', 'f(', '!(', 'a?b:(', '{[(', ')(((', '"a"[', '// (\n(']) {
      expect(message(open.repeat(Math.floor(4096 / open.length)))).toBe(tooDeep);
    }
  });

  it.each([
    `image.tag == '${'('.repeat(50)}'`,
    `image.tag == "${'['.repeat(50)}\\"${'['.repeat(50)}"`,
    `image.tag == r'${'{'.repeat(50)}\\'`,
    `image.tag == '''it's ${'('.repeat(50)}\n'''`,
    `image.tag == """${'('.repeat(50)}" \\""""`,
    `image.tag == R"""${'('.repeat(50)}\\"""`,
    `image.tag // ${'('.repeat(50)}\n == ''`,
  ])('takes brackets in texts and comments for text: %s', (expression) => {
    expect(checkExpression(expression, 'assert')).toEqual({ uses: ['image'] });
  });

  it.each([
    ["predicate.a.matches('(a{1,100}){1,10}')", 'repeats too much'],
    ["predicate.a.matches('((a{100}){100}){100}')", 'repeats too much'],
    [`predicate.a.matches('${'a'.repeat(1025)}')`, 'is longer than 1024 characters'],
  ])('T30 refuses a pattern that is too large', (expression, why) => {
    expect(message(expression)).toContain(`the pattern of matches ${why}`);
  });
});
