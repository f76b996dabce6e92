import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RefwardenError } from '../../../src/failures/failure.ts';
import { verifyTimestampToken } from '../../../src/verification/timestamp/verify-timestamp-token.ts';
import type { VerifiedTimestamp } from '../../../src/verification/timestamp/verify-timestamp-token.ts';
import { purposeOid } from '../../../src/verification/x509/extensions.ts';
import { extension, integer, nothing, oid, primitive, sequence } from '../../support/der-values.ts';
import { failureOf } from '../../support/failure-of.ts';
import { attribute, makeToken } from '../../support/make-token.ts';
import type { TokenOptions } from '../../support/make-token.ts';
import {
  basicConstraints,
  certify,
  keyUsage,
  ofAuthority,
  pkiNowMs,
  purpose,
} from '../../support/test-pki.ts';
import type { CertificateOptions, TestHolder } from '../../support/test-pki.ts';

const message = Buffer.from('the raw signature');
const hourMs = 3_600_000;
const root = certify('TSA root', { extensions: ofAuthority });
const forTimestamps = [keyUsage('digitalSignature'), purpose(true, purposeOid.timeStamping)];
const authority = (options: CertificateOptions = {}): TestHolder =>
  certify('TSA', { by: root, extensions: forTimestamps, ...options });
const tsa = authority();

const verify = (token: Uint8Array, roots: readonly TestHolder[] = [root]): VerifiedTimestamp =>
  verifyTimestampToken({ token, message, roots: roots.map(({ der }) => der) });
const stamp = (options: Partial<TokenOptions> = {}, signer = tsa): Uint8Array =>
  makeToken(signer, root, { message, ...options });
const refusal = (options: Partial<TokenOptions>, signer = tsa): string =>
  failureOf(() => verify(stamp(options, signer)));

describe('a timestamp token', () => {
  it('says when, how exactly, and by whom', () => {
    expect(verify(stamp())).toEqual({
      genTimeMs: Date.parse('2026-11-26T11:00:00Z'),
      accuracyMs: 0,
      signerSubject: 'CN=TSA',
      chain: [tsa.der, root.der].map((der) => Buffer.from(der)),
    });
  });

  it('is good over SHA-384 and SHA-512, and without its root beside it', () => {
    for (const hash of ['sha384', 'sha512'] as const) {
      expect(verify(stamp({ hash, certificates: [tsa] })).signerSubject).toBe('CN=TSA');
    }
  });

  it.each([
    ['20261126110000.5Z', 500, 0],
    ['20261126110000.123Z', 123, 0],
    ['20261126110000.123456789Z', 123, 1],
    ['20261126110000.1234567890123456Z', 123, 1],
    ['20261126110000.000Z', 0, 0],
  ])('reads the time %s', (genTime, millis, accuracyMs) => {
    const read = verify(stamp({ genTime }));
    expect(read.genTimeMs - Date.parse('2026-11-26T11:00:00Z')).toBe(millis);
    expect(read.accuracyMs).toBe(accuracyMs);
  });

  it.each([
    '20261126110000',
    '20261126110000+0000',
    '20261126110000,5Z',
    '20261126110000.Z',
    '202611261100Z',
    '20261126110060Z',
    '20260230110000Z',
    '20261126250000Z',
    ' 0261126110000Z',
    `20261126110000.${'1'.repeat(60)}Z`,
  ])('refuses the time %s', (genTime) => {
    expect(refusal({ genTime })).toMatch(
      /^PayloadInvalid: The timestamp does not parse: it has a (malformed )?time/,
    );
  });

  it('adds the accuracy up, rounded up', () => {
    const accuracy = [integer(2), primitive(0, Buffer.of(100)), primitive(1, Buffer.of(1))];
    expect(verify(stamp({ accuracy })).accuracyMs).toBe(2_101);
  });

  it('takes a second for granted under the baseline policy (RFC 3628), which promises it', () => {
    expect(verify(stamp({ policy: '0.4.0.2023.1.1' })).accuracyMs).toBe(1_000);
  });

  it.each([
    ['negative', [primitive(0, Buffer.of(0xff))]],
    ['of more than 999 millis', [primitive(0, Buffer.of(0x03, 0xe8))]],
    ['of more than a day', [integer(86_401)]],
    ['with something unknown', [nothing]],
  ])('refuses an accuracy that is %s', (_, accuracy) => {
    expect(refusal({ accuracy })).toMatch(/^PayloadInvalid: The timestamp does not parse: it has /);
  });

  it('T15 refuses the token of another message', () => {
    expect(refusal({ message: Buffer.from('another signature') })).toBe(
      'PayloadInvalid: The timestamp is over something else than this signature.',
    );
  });

  it('refuses an imprint by SHA-1', () => {
    expect(refusal({ hash: 'sha1' })).toBe(
      'PayloadInvalid: The timestamp is over a hash other than SHA-256, SHA-384 and SHA-512.',
    );
  });

  it.each<[string, Partial<TokenOptions>, string]>([
    ['another version', { version: 2 }, 'another version than 1'],
    [
      'a critical extension',
      { extensions: [extension('1.2.3', nothing, true)] },
      'the critical extension 1.2.3',
    ],
    ['other content', { contentType: '1.2.840.113549.1.7.1' }, 'content that is no timestamp'],
    [
      'another signed content type',
      { signedContentType: '1.2.840.113549.1.7.1' },
      'a signed content type that is no timestamp',
    ],
    ['two signers', { signers: 2 }, 'more than one signer'],
    ['no signer', { signers: 0 }, 'an element that is cut short'],
    ['no signingCertificateV2', { essHolder: 'none' }, 'no signed attribute 1.2.840.113549.1.9.16.2.47'],
    [
      'a flood of certificates',
      { certificates: Array.from({ length: 17 }, () => tsa) },
      'more than 16 certificates',
    ],
  ])('refuses %s', (_, options, why) => {
    expect(refusal(options)).toBe(`PayloadInvalid: The timestamp does not parse: it has ${why}.`);
  });

  it('finds a signer that is named by its key', () => {
    expect(verify(stamp({ keyIdentifier: Buffer.alloc(20) })).signerSubject).toBe('CN=TSA');
  });

  it('finds a signer by each hash of its certificate', () => {
    for (const essHash of ['sha256', 'sha384', 'sha512'] as const) {
      expect(verify(stamp({ essHash })).signerSubject).toBe('CN=TSA');
    }
  });

  it('refuses a signed attribute twice, and too many', () => {
    const why = 'PayloadInvalid: The timestamp does not parse: it has a signed attribute twice, or too many.';
    const other = (index: number): Uint8Array => attribute(`1.2.${index}`, nothing);
    expect(refusal({ attributes: [other(1), other(1)] })).toBe(why);
    expect(refusal({ attributes: Array.from({ length: 30 }, (_, index) => other(index)) })).toBe(why);
    expect(verify(stamp({ attributes: [other(1)] })).signerSubject).toBe('CN=TSA');
  });

  it('T11 refuses too many roots, and a certificate that is too large', () => {
    const roots = Array.from({ length: 1_001 }, () => root);
    expect(verify(stamp(), roots.slice(1)).signerSubject).toBe('CN=TSA');
    expect(failureOf(() => verify(stamp(), roots))).toBe(
      'TrustMaterialInvalid: More than 1000 timestamp roots are trusted.',
    );
    const large = new Uint8Array(65_537);
    expect(failureOf(() => verifyTimestampToken({ token: stamp(), message, roots: [large] }))).toBe(
      'CertificateInvalid: A trusted timestamp root is larger than 65536 bytes.',
    );
  });

  it('T11 refuses a token that is too large, unread', () => {
    const token = Buffer.concat([stamp(), Buffer.alloc(64 * 1024)]);
    expect(failureOf(() => verify(token))).toBe('PayloadInvalid: The timestamp is larger than 65536 bytes.');
    expect(failureOf(() => verify(token.subarray(0, 65_536)))).toBe(
      'PayloadInvalid: The timestamp does not parse: it has more than belongs there.',
    );
  });

  it('refuses what follows the token', () => {
    expect(failureOf(() => verify(Buffer.concat([stamp(), Buffer.of(5, 0)])))).toBe(
      'PayloadInvalid: The timestamp does not parse: it has more than belongs there.',
    );
  });

  it('refuses a signature that does not verify, over attributes or content', () => {
    const why = 'TrustedTimeMissing: The signature of the timestamp does not verify.';
    expect(refusal({ isForged: true })).toBe(why);
    expect(refusal({ messageDigest: Buffer.alloc(32) })).toBe(why);
    // The key of somebody else under the certificate of the authority.
    expect(refusal({}, { ...tsa, key: root.key })).toBe(why);
  });

  it.each<[string, Partial<TokenOptions>]>([
    ['SHA-1', { signatureAlgorithm: sequence(oid('1.2.840.10045.4.1')) }],
    ['content hashed by SHA-1', { digestHash: 'sha1' }],
    [
      'PSS with its defaults, which are SHA-1',
      { signatureAlgorithm: sequence(oid('1.2.840.113549.1.1.10'), sequence()) },
    ],
  ])('refuses %s', (_, options) => {
    expect(refusal(options)).toBe(
      'TrustedTimeMissing: The timestamp is signed by an algorithm that is not supported.',
    );
  });

  it('refuses a signature over another hash than its algorithm says, whatever hashes the content', () => {
    expect(refusal({ signatureAlgorithm: sequence(oid('1.2.840.10045.4.3.3')) })).toBe(
      'TrustedTimeMissing: The signature of the timestamp does not verify.',
    );
  });

  it('refuses an algorithm that is not of the kind of the key', () => {
    expect(refusal({ signatureAlgorithm: sequence(oid('1.2.840.113549.1.1.11'), nothing) })).toBe(
      'TrustedTimeMissing: The signature of the timestamp does not verify.',
    );
  });

  it('refuses a certificate that is not the one whose hash was signed', () => {
    const other = authority();
    expect(refusal({ essHolder: other })).toBe(
      'CertificateInvalid: The timestamp does not hold the certificate that its signingCertificateV2 names by its hash.',
    );
    expect(refusal({ essHash: 'sha1' })).toBe(
      'CertificateInvalid: The timestamp does not hold the certificate that its signingCertificateV2 names by its hash.',
    );
    const twoNames =
      'CertificateInvalid: The timestamp names two different certificates as that of its signer.';
    expect(refusal({ named: other })).toBe(twoNames);
    expect(refusal({ namedIssuer: 'somebody else' })).toBe(twoNames);
  });
});

describe('the certificate of a timestamp authority', () => {
  const refused = (options: CertificateOptions): string => refusal({}, authority(options));
  const usage = keyUsage('digitalSignature');

  it.each<[string, readonly Uint8Array[], string]>([
    [
      'another purpose',
      [usage, purpose(true, '1.3.6.1.5.5.7.3.3')],
      'is not for timestamps and nothing else (extendedKeyUsage)',
    ],
    [
      'a second purpose',
      [usage, purpose(true, purposeOid.timeStamping, '1.3.6.1.5.5.7.3.3')],
      'is not for timestamps and nothing else (extendedKeyUsage)',
    ],
    [
      'any purpose',
      [usage, purpose(true, purposeOid.any)],
      'is not for timestamps and nothing else (extendedKeyUsage)',
    ],
    ['no purpose', [usage], 'is not for timestamps and nothing else (extendedKeyUsage)'],
    [
      'a purpose that is not critical',
      [usage, purpose(false, purposeOid.timeStamping)],
      'does not mark its purpose as critical (extendedKeyUsage)',
    ],
    [
      'no key usage',
      [purpose(true, purposeOid.timeStamping)],
      'is not for digital signatures only (keyUsage)',
    ],
    [
      'keyCertSign',
      [keyUsage('digitalSignature', 'keyCertSign'), purpose(true, purposeOid.timeStamping)],
      'is not for digital signatures only (keyUsage)',
    ],
    [
      'keyEncipherment',
      [keyUsage('digitalSignature', 2), purpose(true, purposeOid.timeStamping)],
      'is not for digital signatures only (keyUsage)',
    ],
    [
      'the mark of an authority',
      [...forTimestamps, basicConstraints()],
      'is that of a certificate authority',
    ],
  ])('with %s is refused', (_, extensions, why) => {
    expect(refused({ extensions })).toBe(
      `CertificateInvalid: The certificate CN=TSA that signed the timestamp ${why}.`,
    );
  });

  it('may have contentCommitment beside digitalSignature', () => {
    const extensions = [
      keyUsage('digitalSignature', 'contentCommitment'),
      purpose(true, purposeOid.timeStamping),
    ];
    expect(verify(stamp({}, authority({ extensions }))).signerSubject).toBe('CN=TSA');
  });

  it('T25 that was not valid at the time of the token is refused', () => {
    expect(refused({ notAfterMs: pkiNowMs - 2 * hourMs })).toBe(
      'CertificateInvalid: The certificate CN=TSA of the timestamp authority expired at 2026-11-26T10:00:00.000Z, and is used for 2026-11-26T11:00:00.000Z.',
    );
    expect(refused({ notBeforeMs: pkiNowMs - hourMs / 2 })).toContain(
      'was not valid before 2026-11-26T11:30:00.000Z',
    );
  });

  it('that has expired since is good: it was valid at the time of the token', () => {
    const signer = authority({ notAfterMs: pkiNowMs - hourMs });
    expect(verify(stamp({}, signer)).signerSubject).toBe('CN=TSA');
  });

  it('with a critical extension that is not known is refused', () => {
    expect(refused({ extensions: [...forTimestamps, extension('1.2.3.4', nothing, true)] })).toContain(
      'CN=TSA of the timestamp authority has the critical extension 1.2.3.4, which is not supported.',
    );
  });

  it('with an extension twice does not parse', () => {
    expect(refused({ extensions: [...forTimestamps, ...forTimestamps] })).toMatch(
      /^CertificateInvalid: A certificate of the timestamp does not parse/,
    );
  });

  it('of another root by the same name is refused', () => {
    const impostor = certify('TSA root', { extensions: ofAuthority });
    const signer = certify('TSA', { by: impostor, extensions: forTimestamps });
    const token = makeToken(signer, impostor, { message });
    expect(failureOf(() => verify(token))).toBe(
      'CertificateInvalid: The certificate of the timestamp authority does not chain to a trusted root: no issuer is trusted of CN=TSA root.',
    );
  });

  it('that nobody trusts is refused without roots', () => {
    expect(failureOf(() => verify(stamp(), []))).toContain('does not chain to a trusted root');
  });

  it('may be trusted itself', () => {
    const own = certify('own TSA', { extensions: forTimestamps });
    expect(verify(makeToken(own, own, { message }), [own]).chain).toHaveLength(1);
  });

  it.each<[string, readonly Uint8Array[], string]>([
    [
      'no authority',
      [keyUsage('keyCertSign')],
      'is not marked as that of a certificate authority (basicConstraints, critical)',
    ],
    [
      'not critically an authority',
      [basicConstraints(false), keyUsage('keyCertSign')],
      'is not marked as that of a certificate authority (basicConstraints, critical)',
    ],
    [
      'not for certificates',
      [basicConstraints(), keyUsage('cRLSign')],
      'may not sign certificates (keyUsage)',
    ],
    ['without key usage', [basicConstraints()], 'may not sign certificates (keyUsage)'],
    [
      'for other purposes',
      [...ofAuthority, purpose(false, '1.3.6.1.5.5.7.3.3')],
      'limits what is below it to other purposes (extendedKeyUsage)',
    ],
  ])('by an intermediate that is %s is refused', (_, extensions, why) => {
    const between = certify('between', { by: root, extensions });
    const signer = certify('TSA', { by: between, extensions: forTimestamps });
    const token = makeToken(signer, between, { message });
    expect(failureOf(() => verify(token))).toBe(
      `CertificateInvalid: The certificate CN=between of the timestamp authority ${why}.`,
    );
  });

  it('deeper than its root allows is refused', () => {
    const shallow = certify('shallow', { extensions: [basicConstraints(true, 0), keyUsage('keyCertSign')] });
    const between = certify('between', { by: shallow, extensions: ofAuthority });
    const signer = certify('TSA', { by: between, extensions: forTimestamps });
    const token = makeToken(signer, between, { message });
    expect(failureOf(() => verify(token, [shallow]))).toContain(
      'CN=shallow of the timestamp authority allows no such long chain below it.',
    );
    const direct = certify('TSA', { by: shallow, extensions: forTimestamps });
    expect(verify(makeToken(direct, shallow, { message }), [shallow]).chain).toHaveLength(2);
  });
});

describe('the chain of a timestamp authority', () => {
  /** So many certificates from that of a timestamp authority up to this one. */
  const chainBelow = (top: TestHolder, length: number): readonly [TestHolder, ...TestHolder[]] => {
    let by = top;
    const between = Array.from({ length: length - 2 }, (_, index) => {
      by = certify(`authority ${index}`, { by, extensions: ofAuthority });
      return by;
    });
    return [certify('TSA', { by, extensions: forTimestamps }), ...between.reverse(), top];
  };
  const verifyBelow = (top: TestHolder, length: number): VerifiedTimestamp => {
    const [signer, ...above] = chainBelow(top, length);
    const certificates = [signer, ...above];
    return verify(makeToken(signer, above[0] ?? top, { message, certificates }), [top]);
  };

  it('T11 has eight certificates, and no more', () => {
    expect(verifyBelow(root, 8).chain).toHaveLength(8);
    expect(failureOf(() => verifyBelow(root, 9))).toMatch(
      /^CertificateInvalid: The certificate of the timestamp authority does not chain to a trusted root/,
    );
  });

  it('goes as deep as its root allows', () => {
    const top = certify('top', { extensions: [basicConstraints(true, 1), keyUsage('keyCertSign')] });
    expect(verifyBelow(top, 3).chain).toHaveLength(3);
    expect(failureOf(() => verifyBelow(top, 4))).toBe(
      'CertificateInvalid: The certificate CN=top of the timestamp authority allows no such long chain below it.',
    );
  });
});

describe('verifyTimestampToken', () => {
  it('T11 names every altered byte as a failure, and never as a defect', () => {
    const token = stamp();
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.integer({ min: 1, max: 255 }), (index, change) => {
        const altered = Buffer.from(token);
        altered[index] = (altered[index] ?? 0) ^ change;
        try {
          // What nothing hashes or signs (versions, the outer list of algorithms, the root beside) may change.
          expect(verify(altered).genTimeMs).toBe(Date.parse('2026-11-26T11:00:00Z'));
        } catch (thrown) {
          if (!(thrown instanceof RefwardenError)) throw thrown;
          expect(['PayloadInvalid', 'CertificateInvalid', 'TrustedTimeMissing']).toContain(thrown.code);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
