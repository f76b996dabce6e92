import { describe, expect, it } from 'vitest';
import { toFailure } from '../../../src/failures/failure.ts';
import {
  formatDistinguishedName,
  parseDistinguishedName,
} from '../../../src/verification/notation/distinguished-name.ts';
import {
  compileTrustedIdentities,
  isTrustedSubject,
} from '../../../src/verification/notation/trusted-identities.ts';

const refusal = (...texts: string[]): string => {
  try {
    compileTrustedIdentities(texts);
  } catch (thrown) {
    const { code, message } = toFailure(thrown);
    expect(code).toBe('IssuerInvalid');
    return message;
  }
  throw new Error('it was taken');
};

describe('a distinguished name', () => {
  it.each([
    ['C=US,ST=WA,O=Acme', 'C=US, ST=WA, O=Acme'],
    ['c = US , st= WA ,  o=Acme ', 'C=US, ST=WA, O=Acme'],
    ['C=US, S=WA, O=Acme', 'C=US, ST=WA, O=Acme'],
    ['2.5.4.6=US, 2.5.4.8=WA, 2.5.4.10=Acme, 1.2.3.4=x', 'C=US, ST=WA, O=Acme, 1.2.3.4=x'],
    ['O=Acme\\, Inc', 'O=Acme\\, Inc'],
    ['O=Acme\\2C Inc', 'O=Acme\\, Inc'],
    ['O=\\C3\\A9t\\C3\\A9', 'O=\u00e9t\u00e9'],
    ['O=\\ Acme\\ ', 'O=\\ Acme\\ '],
    ['O=\\#1', 'O=\\#1'],
    ['O=a=b', 'O=a=b'],
    ['O=\\"\\+\\;\\<\\>\\\\\\=', 'O=\\"\\+\\;\\<\\>\\\\='],
    ['O=a+CN=b', 'O=a+CN=b'],
    ['O=\u{1f511}, C=US', 'O=\u{1f511}, C=US'],
    ['emailAddress=a@b.example', 'E=a@b.example'],
  ])('%s', (text, formatted) => {
    expect(formatDistinguishedName(parseDistinguishedName(text))).toBe(formatted);
    expect(parseDistinguishedName(formatted)).toEqual(parseDistinguishedName(text));
  });

  it.each([
    ['', 'The name has a part without "=".'],
    ['C=US,', 'The name has a part without "=".'],
    ['C=US,,O=x', 'The name names the unknown attribute ",O".'],
    ['X=1', 'The name names the unknown attribute "X".'],
    ['=1', 'The name names the unknown attribute "".'],
    ['C=', 'The name has an empty value.'],
    ['C= ,O=x', 'The name has an empty value.'],
    ['C=#0c0155', 'The name has a value in hexadecimal, which is not supported.'],
    ['O="Acme, Inc"', 'The name has " without a backslash before it.'],
    ['C=US;O=x', 'The name has ; without a backslash before it.'],
    ['O=a\\', 'The name has a backslash before nothing to escape.'],
    ['O=\\x', 'The name has a backslash before nothing to escape.'],
    ['O=\\ff', 'The name has escaped bytes that are no UTF-8.'],
    [`O=${'x'.repeat(5000)}`, 'The name is longer than 4096 characters.'],
  ])('is none: %s', (text, message) => {
    expect(() => parseDistinguishedName(text)).toThrow(message);
  });
});

describe('trusted identities', () => {
  const subject = (text: string) => parseDistinguishedName(text);
  const trusts = (identity: string, text: string): boolean =>
    isTrustedSubject(compileTrustedIdentities([identity]), subject(text));

  it('match when each of their attributes is in the subject', () => {
    const identity = 'x509.subject: C=US, ST=WA, O=Acme\\, Inc';
    expect(trusts(identity, 'CN=x, O=Acme\\2c Inc, ST=WA, C=US')).toBe(true);
    expect(trusts(identity, 'C=US, ST=WA, O=Acme')).toBe(false);
    expect(trusts(identity, 'C=US, ST=WA, O=Acme\\, Inc, O=Acme\\, Inc')).toBe(false);
    expect(trusts(identity, 'C=US+ST=WA, O=Acme\\, Inc')).toBe(false);
    expect(trusts('x509.subject:C=US,ST=WA,O=Acme,CN=a', 'C=US, ST=WA, O=Acme')).toBe(false);
    expect(trusts('*', 'CN=anybody')).toBe(true);
  });

  it.each<[string[], string]>([
    [[], 'trustedIdentities: there must be one.'],
    [['*', 'x509.subject: C=US, ST=WA, O=a'], 'trustedIdentities: * stands alone.'],
    [['*', '*'], 'trustedIdentities: * stands alone.'],
    [
      ['C=US, ST=WA, O=a'],
      'trustedIdentities: "C=US, ST=WA, O=a" is neither * nor begins with x509.subject:.',
    ],
    [['x509.san: a'], 'trustedIdentities: "x509.san: a" is neither * nor begins with x509.subject:.'],
    [['x509.subject: C=US, ST=WA'], 'trustedIdentities: "x509.subject: C=US, ST=WA" lacks O.'],
    [['x509.subject: CN=a'], 'trustedIdentities: "x509.subject: CN=a" lacks C, ST, O.'],
    [
      ['x509.subject: C=US, ST=WA, O=a, O=b'],
      'trustedIdentities: "x509.subject: C=US, ST=WA, O=a, O=b" has O twice.',
    ],
    [
      ['x509.subject: C=US, ST=WA, S=OR, O=a'],
      'trustedIdentities: "x509.subject: C=US, ST=WA, S=OR, O=a" has ST twice.',
    ],
    [
      ['x509.subject: C=US, ST=WA, O=a+CN=b'],
      'trustedIdentities: "x509.subject: C=US, ST=WA, O=a+CN=b" joins several attributes in one by +.',
    ],
    [
      ['x509.subject: C=US, ST=WA, O='],
      'trustedIdentities: "x509.subject: C=US, ST=WA, O=": The name has an empty value.',
    ],
    [
      ['x509.subject: C=US, ST=WA, O=a, OU=b', 'x509.subject: C=US, ST=WA, O=a'],
      'trustedIdentities: "x509.subject: C=US, ST=WA, O=a, OU=b" is within "x509.subject: C=US, ST=WA, O=a".',
    ],
    [
      ['x509.subject: C=US, ST=WA, O=a', 'x509.subject: O=a, ST=WA, C=US'],
      'trustedIdentities: "x509.subject: O=a, ST=WA, C=US" is within "x509.subject: C=US, ST=WA, O=a".',
    ],
  ])('are refused: %j', (texts, message) => {
    expect(refusal(...texts)).toBe(message);
  });
});
