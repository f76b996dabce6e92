import { describe, expect, it } from 'vitest';
import {
  maxStatementSubjects,
  parseStatement,
} from '../../../src/verification/attestation/in-toto-statement.ts';

const inToto = 'application/vnd.in-toto+json';
const statement = {
  _type: 'https://in-toto.io/Statement/v1',
  subject: [{ name: 'app', digest: { sha256: 'a'.repeat(64), sha512: 'b'.repeat(128) } }],
  predicateType: 'https://example.com/tested/v1',
  predicate: {},
};
const parse = (value: unknown, type = inToto) =>
  parseStatement(type, Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)));

describe('parseStatement', () => {
  it.each(['https://in-toto.io/Statement/v0.1', 'https://in-toto.io/Statement/v1'])('takes %s', (_type) => {
    expect(parse({ ...statement, _type })).toEqual({
      kind: 'attestation',
      predicateType: 'https://example.com/tested/v1',
      subjects: [`sha256:${'a'.repeat(64)}`, `sha512:${'b'.repeat(128)}`],
      predicate: {},
      document: Buffer.from(JSON.stringify({ ...statement, _type })),
    });
  });

  it('T16 takes only the one predicate type of cosign for a signature', () => {
    const kind = (predicateType: string) => parse({ ...statement, predicateType }).kind;
    expect(kind('https://sigstore.dev/cosign/sign/v1')).toBe('signature');
    expect(kind('https://sigstore.dev/cosign/sign/v1/')).toBe('attestation');
    expect(kind('HTTPS://sigstore.dev/cosign/sign/v1')).toBe('attestation');
    expect(kind('https://sigstore.dev/cosign/sign/v2')).toBe('attestation');
  });

  it('T11 takes a predicate type of 1024 characters and 16 digests of a subject, and no more', () => {
    const typed = (length: number) => () => parse({ ...statement, predicateType: 'x'.repeat(length) });
    expect(typed(1024)()).toMatchObject({ kind: 'attestation' });
    expect(typed(1025)).toThrow('The statement has no predicateType.');
    const digest = (count: number): object =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`algorithm${i}`, 'a']));
    const withDigests = (count: number) => () =>
      parse({ ...statement, subject: [{ digest: digest(count) }] });
    expect(withDigests(16)().subjects).toHaveLength(16);
    expect(withDigests(17)).toThrow('A subject has more than 16 digests.');
  });

  it('leaves out a predicate and an SBOM that are not there', () => {
    const { predicate, ...without } = statement;
    expect(predicate).toEqual({});
    const claim = parse(without);
    expect('predicate' in claim || 'sbom' in claim).toBe(false);
  });

  it('T16 gives no SBOM for a predicate that only calls itself one, and says why', () => {
    expect(parse({ ...statement, predicateType: 'https://spdx.dev/Document' })).toMatchObject({
      kind: 'attestation',
      predicateType: 'https://spdx.dev/Document',
      flaw: {
        code: 'PayloadInvalid',
        message: 'The SPDX document has no spdxVersion.',
      },
    });
  });

  it.each([
    [
      'another payload type',
      statement,
      "The envelope's payload type is not application/vnd.in-toto+json.",
      'application/json',
    ],
    ['a list', [], 'The statement is not an object.'],
    [
      'another type',
      { ...statement, _type: 'https://in-toto.io/Link/v1' },
      'The statement is not an in-toto statement v0.1 or v1.',
    ],
    ['no type', { ...statement, _type: undefined }, 'The statement is not an in-toto statement v0.1 or v1.'],
    [
      'T26 a type in another case',
      { ...statement, _type: undefined, _TYPE: statement._type },
      'The statement is not an in-toto statement v0.1 or v1.',
    ],
    ['no predicate type', { ...statement, predicateType: '' }, 'The statement has no predicateType.'],
    ['no subject', { ...statement, subject: [] }, 'The statement has no subject.'],
    [
      'a subject without digest',
      { ...statement, subject: [{ name: 'app' }] },
      'A subject of the statement has no digest.',
    ],
    [
      'a digest that is no text',
      { ...statement, subject: [{ digest: { sha256: 1 } }] },
      'A digest of a subject is no text.',
    ],
    [
      'T11 too many subjects',
      { ...statement, subject: Array(maxStatementSubjects + 1).fill({ digest: {} }) },
      'The statement has more than 1024 subjects.',
    ],
    [
      'T26 a repeated key',
      '{"subject":[],"subject":[]}',
      'The statement has the key "subject" twice in one object.',
    ],
    ['T26 __proto__', '{"__proto__":{}}', 'The statement has a key "__proto__".'],
    [
      'T26 deep nesting',
      `{"predicate":${'['.repeat(200)}${']'.repeat(200)}}`,
      'The statement is nested deeper than 128.',
    ],
  ])('refuses %s', (_what, value, message, type = inToto) => {
    expect(() => parse(value, type)).toThrow(
      expect.objectContaining({ code: 'PayloadInvalid', message }) as Error,
    );
  });
});
