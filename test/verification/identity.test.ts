import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { IdentityRule } from '../../src/policy/resolved-issuer.ts';
import { compilePattern, describeIdentity, matchesIdentity } from '../../src/verification/identity.ts';
import { parseSigningCertificate } from '../../src/verification/signing-certificate.ts';
import { der, makeFulcioCertificate, utf8String } from '../support/fulcio-certificate.ts';
import type { CertificateShape } from '../support/fulcio-certificate.ts';

const ca = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const issuer = 'https://accounts.example';
const certificateOf = async (shape: CertificateShape) =>
  parseSigningCertificate(await makeFulcioCertificate(ca, ca.publicKey, { issuer, ...shape }));
const email = (value: string) => ({ type: 'email' as const, value });
const url = (value: string) => ({ type: 'url' as const, value });

async function matches(shape: CertificateShape, rule: Partial<IdentityRule>): Promise<boolean> {
  return matchesIdentity(await certificateOf(shape), [{ issuer, extensions: [], ...rule }], compilePattern);
}

describe('matchesIdentity', () => {
  it('T18 matches a pattern against the whole subject only', async () => {
    const shape = { names: [url('https://github.com/acme/shop/.github/workflows/release.yml@refs/tags/v1')] };
    const by = (pattern: string) => matches(shape, { subject: { pattern } });
    expect(await by('https://github\\.com/acme/shop/.*')).toBe(true);
    expect(await by('^https://github\\.com/acme/shop/.*$')).toBe(true);
    expect(await by('github\\.com/acme/shop')).toBe(false);
    expect(await by('https://github\\.com/acme')).toBe(false);
    expect(await by('release.yml@refs/tags/v1')).toBe(false);
    expect(await by('evil|https://github\\.com/acme')).toBe(false);
  });

  it('T18 is not fooled by a line break', async () => {
    const value = utf8String('dev@acme.example\nevil');
    const userName = der(
      0xa0,
      Buffer.concat([Buffer.from('060a2b0601040183bf300107', 'hex'), der(0xa0, value)]),
    );
    const shape = { raw: [{ oid: '2.5.29.17', value: der(0x30, userName) }] };
    expect((await certificateOf(shape)).subjects).toEqual(['dev@acme.example\nevil']);
    expect(await matches(shape, { subject: { pattern: 'dev@acme\\.example' } })).toBe(false);
    expect(await matches(shape, { subject: { pattern: '(?m)^dev@acme\\.example$' } })).toBe(false);
    expect(await matches(shape, { subject: { pattern: '.*' } })).toBe(false);
  });

  it('T18 tells upper from lower case', async () => {
    const shape = { names: [email('Dev@acme.example')] };
    expect(await matches(shape, { subject: { exact: 'Dev@acme.example' } })).toBe(true);
    expect(await matches(shape, { subject: { exact: 'dev@acme.example' } })).toBe(false);
    expect(await matches(shape, { subject: { pattern: 'dev@.*' } })).toBe(false);
    expect(await matches({ names: [email('a@b')] }, { issuer: 'https://ACCOUNTS.example' })).toBe(false);
  });

  it('T18 looks at every subject, each by itself', async () => {
    const shape = { names: [email('first@acme.example'), url('https://acme.example/second')] };
    expect(await matches(shape, { subject: { exact: 'first@acme.example' } })).toBe(true);
    expect(await matches(shape, { subject: { exact: 'https://acme.example/second' } })).toBe(true);
    expect(await matches(shape, { subject: { pattern: 'first@acme\\.example.*second' } })).toBe(false);
  });

  const address = (hex: string) => der(0x87, Buffer.from(hex, 'hex'));
  const userName = der(
    0xa0,
    Buffer.concat([
      Buffer.from('060a2b0601040183bf300107', 'hex'),
      der(0xa0, utf8String('release!acme.example')),
    ]),
  );
  it.each<[string, CertificateShape, string]>([
    ['URI', { names: [url('https://acme.example/release')] }, 'https://acme.example/release'],
    ['email', { names: [email('dev@acme.example')] }, 'dev@acme.example'],
    ['DNS name', { names: [{ type: 'dns', value: 'build.acme.example' }] }, 'build.acme.example'],
    ['IP address', { raw: [{ oid: '2.5.29.17', value: der(0x30, address('c0000207')) }] }, '192.0.2.7'],
    [
      'IPv6 address',
      { raw: [{ oid: '2.5.29.17', value: der(0x30, address('20010db8000000000000000000000007')) }] },
      '2001:db8::7',
    ],
    [
      'user name of Fulcio (otherName)',
      { raw: [{ oid: '2.5.29.17', value: der(0x30, userName) }] },
      'release!acme.example',
    ],
  ])('T18 takes a %s for a subject, exactly or by a pattern of the whole', async (_kind, shape, exact) => {
    expect(await matches(shape, { subject: { exact } })).toBe(true);
    expect(await matches(shape, { subject: { exact: exact.slice(1) } })).toBe(false);
    expect(await matches(shape, { subject: { pattern: `..${exact.slice(2).replaceAll('.', '\\.')}` } })).toBe(
      true,
    );
    expect(await matches(shape, { subject: { pattern: exact.slice(2).replaceAll('.', '\\.') } })).toBe(false);
  });

  it('T18 takes no other kind of name for a subject', async () => {
    const directoryName = der(0xa4, Buffer.from('3000', 'hex'));
    const registeredId = der(0x88, Buffer.from('2a0304', 'hex'));
    const otherKind = der(
      0xa0,
      Buffer.concat([Buffer.from('06032a0304', 'hex'), der(0xa0, utf8String('dev@acme.example'))]),
    );
    const value = der(0x30, Buffer.concat([directoryName, registeredId, otherKind]));
    expect(await matches({ raw: [{ oid: '2.5.29.17', value }] }, { subject: { pattern: '(?s).*' } })).toBe(
      false,
    );
  });

  it('T37 asks every extension that is listed', async () => {
    const shape = {
      names: [url('https://ci.example/shared')],
      extensions: { 12: 'https://github.com/acme/shop', 15: '700' },
    };
    const rule = (name: 'sourceRepositoryURI' | 'sourceRepositoryIdentifier', exact: string) => ({
      name,
      rule: { exact },
    });
    const repository = rule('sourceRepositoryURI', 'https://github.com/acme/shop');
    expect(
      await matches(shape, { extensions: [repository, rule('sourceRepositoryIdentifier', '700')] }),
    ).toBe(true);
    expect(
      await matches(shape, { extensions: [repository, rule('sourceRepositoryIdentifier', '701')] }),
    ).toBe(false);
    expect(await matches({ names: shape.names }, { extensions: [repository] })).toBe(false);
  });

  it('T21 matches nothing without identities', async () => {
    expect(matchesIdentity(await certificateOf({}), [], compilePattern)).toBe(false);
  });
});

describe('compilePattern', () => {
  it('T30 answers a pattern that makes a backtracking engine hang', () => {
    const started = performance.now();
    expect(compilePattern('(a*)*(a*)*(a*)*b')('a'.repeat(4000))).toBe(false);
    expect(performance.now() - started).toBeLessThan(2000);
  });

  const counted = 'a{1,1000}'.repeat(12);
  it.each([
    [
      'what RE2 has not',
      '(?=a)',
      'The pattern "(?=a)" is not RE2: invalid or unsupported Perl syntax: `(?=`.',
    ],
    ['what does not parse', '(', 'The pattern "(" is not RE2: missing closing ): `(`.'],
    [
      'nested repeats',
      '((a{1,100}){1,10}){1,5}',
      'The pattern "((a{1,100}){1,10}){1,5}" is not RE2: invalid repeat count: `{1,5}`.',
    ],
    ['many repeats', counted, `The pattern "${counted}" repeats too much.`],
    ['a long text', 'a'.repeat(2000), /^The pattern "a+\.\.\." is longer than 1024 characters\.$/],
  ])('T30 refuses %s', (_what, pattern, message) => {
    expect(() => compilePattern(pattern)).toThrow(
      expect.objectContaining({
        code: 'IssuerInvalid',
        message: typeof message === 'string' ? message : (expect.stringMatching(message) as string),
      }) as Error,
    );
  });
});

describe('parseSigningCertificate', () => {
  it('reads issuer, subjects and extensions as Fulcio writes them', async () => {
    const certificate = await certificateOf({
      names: [email('dev@acme.example')],
      extensions: { 20: 'push' },
    });
    expect(certificate).toMatchObject({
      issuer,
      subjects: ['dev@acme.example'],
      extensions: { buildTrigger: 'push' },
    });
  });

  it('reads the raw issuer of old certificates', async () => {
    const old = await makeFulcioCertificate(ca, ca.publicKey, {
      raw: [{ oid: '1.3.6.1.4.1.57264.1.1', value: Buffer.from(issuer) }],
    });
    expect(parseSigningCertificate(old).issuer).toBe(issuer);
  });

  it.each<[string, CertificateShape, string]>([
    [
      'a purpose other than code signing',
      { issuer, purposes: ['1.3.6.1.5.5.7.3.1'] },
      'The signing certificate is not for code signing.',
    ],
    ['no purpose at all', { issuer, purposes: [] }, 'The signing certificate is not for code signing.'],
    [
      'a certificate authority',
      { issuer, raw: [{ oid: '2.5.29.19', value: Buffer.from('30030101ff', 'hex') }] },
      'The signing certificate is not for code signing.',
    ],
    ['no issuer', {}, 'The signing certificate names no OIDC issuer.'],
    [
      'an issuer that is no UTF8String',
      { raw: [{ oid: '1.3.6.1.4.1.57264.1.8', value: der(0x16, Buffer.from(issuer)) }] },
      'The signing certificate has an extension that is no UTF8String.',
    ],
    [
      'text after the issuer',
      {
        raw: [{ oid: '1.3.6.1.4.1.57264.1.8', value: Buffer.concat([utf8String(issuer), Buffer.from('x')]) }],
      },
      'The signing certificate does not parse.',
    ],
    [
      'two issuers',
      { issuer, raw: [{ oid: '1.3.6.1.4.1.57264.1.8', value: utf8String('https://evil.example') }] },
      'The signing certificate has the extension 1.3.6.1.4.1.57264.1.8 twice.',
    ],
    [
      'a name whose letters appear when the high bit falls',
      { issuer, raw: [{ oid: '2.5.29.17', value: der(0x30, der(0x86, Buffer.from('\xe1cme', 'latin1'))) }] },
      'The signing certificate has a name that is no printable ASCII.',
    ],
    [
      'an IP address of five bytes',
      { issuer, raw: [{ oid: '2.5.29.17', value: der(0x30, der(0x87, Buffer.alloc(5))) }] },
      'The signing certificate has an IP address of neither 4 nor 16 bytes.',
    ],
    [
      'an endless name',
      { issuer, names: [url(`https://${'a'.repeat(5000)}`)] },
      'The signing certificate has a name longer than 4096 bytes.',
    ],
  ])('refuses %s', async (_what, shape, message) => {
    const bytes = await makeFulcioCertificate(ca, ca.publicKey, shape);
    expect(() => parseSigningCertificate(bytes)).toThrow(
      expect.objectContaining({ code: 'CertificateInvalid', message }) as Error,
    );
  });

  it('refuses junk', () => {
    expect(() => parseSigningCertificate(Buffer.from('junk'))).toThrow(
      'The signing certificate does not parse.',
    );
    expect(() => parseSigningCertificate(Buffer.alloc(70_000))).toThrow('is larger than 65536 bytes');
  });
});

describe('describeIdentity', () => {
  it('names what is asked for', () => {
    expect(
      describeIdentity({
        issuer,
        subject: { pattern: 'dev@.*' },
        extensions: [{ name: 'buildTrigger', rule: { exact: 'push' } }],
      }),
    ).toBe('/dev@.*/, buildTrigger push (https://accounts.example)');
  });
});
