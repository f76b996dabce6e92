import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RefwardenError } from '../../../src/failures/failure.ts';
import { verifyOcspResponse } from '../../../src/verification/revocation/ocsp-response.ts';
import type { OcspAnswer } from '../../../src/verification/revocation/ocsp-response.ts';
import { parseCertificate } from '../../../src/verification/x509/certificate.ts';
import { DerReader } from '../../../src/verification/x509/der.ts';
import type { DerElement } from '../../../src/verification/x509/der.ts';
import { extensionOid, purposeOid } from '../../../src/verification/x509/extensions.ts';
import { withChildren } from '../../support/changed-children.ts';
import {
  enumerated,
  extension,
  integer,
  nothing,
  octets,
  oid,
  primitive,
  sequence,
  tagged,
} from '../../support/der-values.ts';
import { failureOf } from '../../support/failure-of.ts';
import { makeAnswer, refusedAnswer } from '../../support/make-revocation.ts';
import type { AnswerOptions } from '../../support/make-revocation.ts';
import { certify, keyUsage, ofAuthority, pkiNowMs, purpose, signed } from '../../support/test-pki.ts';
import type { CertificateOptions, TestHolder } from '../../support/test-pki.ts';

const hourMs = 3_600_000;
const issuer = certify('issuer', { extensions: ofAuthority });
const leaf = certify('leaf', { by: issuer });
const noCheck = extension(extensionOid.ocspNoCheck, nothing);
const forAnswers = [keyUsage('digitalSignature'), purpose(false, purposeOid.ocspSigning)];
const delegate = (options: CertificateOptions = {}): TestHolder =>
  certify('responder', { by: issuer, extensions: [...forAnswers, noCheck], ...options });

const verify = (answer: Uint8Array, nowMs = pkiNowMs): OcspAnswer =>
  verifyOcspResponse(answer, {
    certificate: parseCertificate(leaf.der, 'The leaf'),
    issuer: parseCertificate(issuer.der, 'The issuer'),
    nowMs,
  });
const refusal = (options: AnswerOptions): string =>
  failureOf(() => verify(makeAnswer(leaf, issuer, options)));
const by = (responder: TestHolder, options: AnswerOptions = {}): AnswerOptions => ({
  responder,
  certificates: [responder],
  ...options,
});

describe('an OCSP answer', () => {
  it.each([true, false])('of the issuer counts (by name: %s)', (byName) => {
    expect(verify(makeAnswer(leaf, issuer, { byName }))).toEqual({
      status: { status: 'good', untilMs: pkiNowMs + hourMs },
    });
  });

  it('says when and why a certificate was revoked', () => {
    const status = { reason: 1, revokedAtMs: pkiNowMs - hourMs, invalidFromMs: pkiNowMs - 5 * hourMs };
    expect(verify(makeAnswer(leaf, issuer, { status })).status).toEqual({
      status: 'revoked',
      untilMs: pkiNowMs + hourMs,
      ...status,
    });
  });

  it.each([true, false])('of a delegated responder counts (by name: %s)', (byName) => {
    const responder = delegate();
    const answer = makeAnswer(leaf, issuer, by(responder, { byName }));
    expect(verify(answer)).toEqual({ status: { status: 'good', untilMs: pkiNowMs + hourMs } });
  });

  it('of a delegated responder whose certificate limits no usage counts', () => {
    const responder = delegate({ extensions: [purpose(false, purposeOid.ocspSigning), noCheck] });
    expect(verify(makeAnswer(leaf, issuer, by(responder))).status.status).toBe('good');
  });

  it('names a delegated responder that has to be looked up itself', () => {
    const responder = delegate({ extensions: forAnswers });
    expect(verify(makeAnswer(leaf, issuer, by(responder))).unprovenResponder?.subjectText).toBe(
      'CN=responder',
    );
  });

  it.each<[string, () => TestHolder, string]>([
    [
      'certified by somebody else of the same name',
      () =>
        certify('responder', { by: certify('issuer', { extensions: ofAuthority }), extensions: forAnswers }),
      'is not authorised: another authority issued its certificate',
    ],
    [
      'without the purpose',
      () => delegate({ extensions: [keyUsage('digitalSignature')] }),
      'is not authorised: its certificate is not for signing answers (extendedKeyUsage)',
    ],
    [
      'for code signing',
      () => delegate({ extensions: [purpose(false, '1.3.6.1.5.5.7.3.3')] }),
      'is not authorised: its certificate is not for signing answers (extendedKeyUsage)',
    ],
    [
      'for any purpose',
      () => delegate({ extensions: [purpose(false, purposeOid.any)] }),
      'is not authorised: its certificate is not for signing answers (extendedKeyUsage)',
    ],
    [
      'of another key usage',
      () => delegate({ extensions: [keyUsage('cRLSign'), purpose(false, purposeOid.ocspSigning)] }),
      'has a certificate that is not for digital signatures (keyUsage)',
    ],
    [
      'expired',
      () => delegate({ notAfterMs: pkiNowMs - hourMs }),
      'has a certificate that is valid from 2025-11-26T12:00:00.000Z to 2026-11-26T11:00:00.000Z',
    ],
  ])('of a responder that is %s does not count', (_, make, why) => {
    expect(refusal(by(make()))).toBe(`RevocationUnknown: The responder CN=responder ${why}.`);
  });

  it('of a responder that does not show its certificate does not count', () => {
    expect(refusal({ responder: delegate() })).toBe(
      'RevocationUnknown: The signature of the answer does not verify.',
    );
  });

  it('of a responder that is named otherwise does not parse', () => {
    expect(refusal({ responderId: tagged(3, octets(Buffer.alloc(20))) })).toBe(
      'RevocationUnknown: The answer does not parse: it has a malformed name of the responder.',
    );
  });

  it('signed by the leaf itself does not count', () => {
    expect(refusal({ isForged: true })).toBe(
      'RevocationUnknown: The signature of the answer does not verify.',
    );
    expect(refusal({ responder: leaf, certificates: [leaf] })).toContain('is not for signing answers');
  });

  it('T25 that is stale does not count', () => {
    expect(refusal({ nextUpdateMs: pkiNowMs - 1_000 })).toBe(
      'RevocationUnknown: The answer is stale: it counted until 2026-11-26T11:59:59.000Z.',
    );
  });

  it('counts to the end', () => {
    expect(refusal({ nextUpdateMs: pkiNowMs })).toBe('nothing was thrown');
  });

  it('that does not say until when it counts does not count', () => {
    expect(refusal({ nextUpdateMs: null })).toBe(
      'RevocationUnknown: The answer does not say until when it counts.',
    );
  });

  it('of the future does not count, but clocks may differ by minutes', () => {
    expect(refusal({ thisUpdateMs: pkiNowMs + 6 * 60_000 })).toBe(
      'RevocationUnknown: The answer is dated 2026-11-26T12:06:00.000Z, in the future.',
    );
    expect(refusal({ thisUpdateMs: pkiNowMs + 4 * 60_000 })).toBe('nothing was thrown');
  });

  it('T25 about another serial number, replayed, does not count', () => {
    expect(refusal({ serial: leaf.serial + 1 })).toBe(
      'RevocationUnknown: The answer is about another certificate.',
    );
  });

  it('about the same serial number of another issuer does not count', () => {
    const other = certify('other', { extensions: ofAuthority });
    const answer = makeAnswer(leaf, other, { responder: issuer });
    expect(failureOf(() => verify(answer))).toBe(
      'RevocationUnknown: The answer is about another certificate.',
    );
  });

  it('with a nonce that was not sent was made for another question', () => {
    const nonce = extension(extensionOid.ocspNonce, octets(Buffer.from('a nonce of somebody else')));
    expect(refusal({ extensions: [nonce] })).toBe(
      'RevocationUnknown: The answer was made for another question: it has a nonce, and none was sent.',
    );
  });

  it('with a critical extension does not count', () => {
    const critical = [extension('1.2.3', nothing, true)];
    const why = 'RevocationUnknown: The answer has the critical extension 1.2.3, which is not supported.';
    expect(refusal({ extensions: critical })).toBe(why);
    expect(refusal({ singleExtensions: critical })).toBe(why);
  });

  it('that the certificate is unknown tells nothing', () => {
    expect(refusal({ status: 'unknown' })).toBe(
      'RevocationUnknown: The responder does not know the certificate.',
    );
  });

  it('of no status that there is does not parse', () => {
    expect(refusal({ status: 'malformed' })).toBe(
      'RevocationUnknown: The answer does not parse: it has a malformed status.',
    );
  });

  it.each([
    [3, 'tryLater'],
    [6, 'unauthorized'],
    [99, '99'],
  ])('of status %i is a refusal', (status, word) => {
    expect(failureOf(() => verify(refusedAnswer(status)))).toBe(
      `RevocationUnknown: The responder refused the question (${word}).`,
    );
  });

  it('T11 that is too large, or holds too many certificates, is not read', () => {
    expect(failureOf(() => verify(new Uint8Array(65_537)))).toBe(
      'RevocationUnknown: The answer is larger than 65536 bytes.',
    );
    const responder = delegate();
    const certificates = Array.from({ length: 9 }, () => responder);
    expect(refusal({ responder, certificates })).toBe(
      'RevocationUnknown: The answer holds more than 8 certificates.',
    );
  });

  it('T11 altered anywhere is never good, and never a defect', () => {
    const answer = makeAnswer(leaf, issuer, { status: { reason: 1 } });
    fc.assert(
      fc.property(fc.nat(answer.length - 1), fc.integer({ min: 1, max: 255 }), (index, change) => {
        const altered = Buffer.from(answer);
        altered[index] = (altered[index] ?? 0) ^ change;
        try {
          expect(verify(altered).status.status).toBe('revoked');
        } catch (thrown) {
          if (!(thrown instanceof RefwardenError)) throw thrown;
          expect(['RevocationUnknown', 'CertificateInvalid']).toContain(thrown.code);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('an OCSP answer with more than belongs there', () => {
  const more = 'RevocationUnknown: The answer does not parse: it has more than belongs there.';
  const answer = makeAnswer(leaf, issuer, { status: { reason: 1 } });
  const response = new DerReader(answer).open().rest();
  response.next();
  const bytes = new DerReader((response.next().value as DerElement).content).open();
  bytes.read();
  const basic = bytes.read().content;
  const data = new DerReader(basic).open().read().whole;
  /** With another body, signed anew, or another frame. */
  const around = (body: Uint8Array, ...rest: Uint8Array[]): Uint8Array =>
    sequence(
      enumerated(0),
      tagged(0, sequence(oid('1.3.6.1.5.5.7.48.1.1'), octets(signed(body, issuer.key, ...rest)))),
    );
  const changed = (change: (parts: Uint8Array[]) => Uint8Array[]): string =>
    failureOf(() => verify(around(withChildren(data, change))));

  it('is good as it was made', () => {
    expect(verify(around(data)).status).toMatchObject({ status: 'revoked' });
  });

  it('is refused after the certificates, the answers and within one', () => {
    expect(failureOf(() => verify(around(data, tagged(0, sequence()), nothing)))).toBe(more);
    expect(changed((parts) => [...parts, nothing])).toBe(more);
    const inSingle = (change: (fields: Uint8Array[]) => Uint8Array[]): string =>
      changed(([id = nothing, time = nothing, singles = nothing]) => [
        id,
        time,
        withChildren(singles, ([single = nothing]) => [withChildren(single, change)]),
      ]);
    expect(inSingle((fields) => [...fields, nothing])).toBe(more);
    expect(
      inSingle(([certId = nothing, ...rest]) => [withChildren(certId, (ids) => [...ids, nothing]), ...rest]),
    ).toBe(more);
    expect(
      inSingle(([certId = nothing, status = nothing, ...rest]) => [
        certId,
        withChildren(status, (parts) => [...parts, nothing]),
        ...rest,
      ]),
    ).toBe(more);
  });

  it('counts with its version written out', () => {
    const versioned = withChildren(data, (parts) => [tagged(0, integer(0)), ...parts]);
    expect(verify(around(versioned)).status).toMatchObject({ status: 'revoked' });
  });

  it('is of another certificate when it names it by another hash', () => {
    const renamed = changed(([id = nothing, time = nothing, singles = nothing]) => [
      id,
      time,
      withChildren(singles, ([single = nothing]) => [
        withChildren(single, ([certId = nothing, ...rest]) => [
          withChildren(certId, ([, ...ids]) => [sequence(oid('2.16.840.1.101.3.4.2.1'), nothing), ...ids]),
          ...rest,
        ]),
      ]),
    ]);
    expect(renamed).toBe('RevocationUnknown: The answer is about another certificate.');
  });

  it('takes a good that says something for none', () => {
    const malformed = changed(([id = nothing, time = nothing, singles = nothing]) => [
      id,
      time,
      withChildren(singles, ([single = nothing]) => [
        withChildren(single, ([certId = nothing, , ...rest]) => [
          certId,
          primitive(0, Buffer.of(1)),
          ...rest,
        ]),
      ]),
    ]);
    expect(malformed).toBe('RevocationUnknown: The answer does not parse: it has a malformed status.');
  });

  it('T11 is looked for among 64 answers, and is larger than 64 KiB for nobody', () => {
    const among = (count: number): (() => OcspAnswer) => {
      const [single] = [
        ...new DerReader(new DerReader(data).open().rest().toArray()[2]?.content ?? data).rest(),
      ];
      const other = withChildren(single?.whole ?? data, ([certId = nothing, ...rest]) => [
        withChildren(certId, (ids) => [...ids.slice(0, -1), integer(1)]),
        ...rest,
      ]);
      const all = Array.from({ length: count - 1 }, () => other);
      return () =>
        verify(
          around(
            withChildren(data, ([id = nothing, time = nothing]) => [
              id,
              time,
              sequence(...all, single?.whole ?? data),
            ]),
          ),
        );
    };
    expect(among(64)().status).toMatchObject({ status: 'revoked' });
    expect(among(65)).toThrow('The answer is about another certificate');
    const tooLarge = 'RevocationUnknown: The answer is larger than 65536 bytes.';
    expect(failureOf(() => verify(new Uint8Array(65_536)))).not.toBe(tooLarge);
    expect(failureOf(() => verify(new Uint8Array(65_537)))).toBe(tooLarge);
  });

  it('leaves out what it does not say', () => {
    expect(verify(makeAnswer(leaf, issuer, { status: {} })).status).toStrictEqual({
      status: 'revoked',
      untilMs: pkiNowMs + hourMs,
      revokedAtMs: pkiNowMs - 2 * hourMs,
    });
    expect(verify(makeAnswer(leaf, issuer))).toStrictEqual({
      status: { status: 'good', untilMs: pkiNowMs + hourMs },
    });
  });
});

describe('a delegated responder', () => {
  it('needs a certificate that is valid at this moment, to the millisecond', () => {
    const at = (notBeforeMs: number, notAfterMs: number): (() => OcspAnswer) => {
      const responder = delegate({ notBeforeMs, notAfterMs });
      return () => verify(makeAnswer(leaf, issuer, by(responder)));
    };
    expect(at(pkiNowMs, pkiNowMs + hourMs)().status).toMatchObject({ status: 'good' });
    expect(at(pkiNowMs - hourMs, pkiNowMs)().status).toMatchObject({ status: 'good' });
    expect(at(pkiNowMs + 1000, pkiNowMs + hourMs)).toThrow('has a certificate that is valid from');
    expect(at(pkiNowMs - hourMs, pkiNowMs - 1000)).toThrow('has a certificate that is valid from');
  });

  it('that is named must have signed, whoever else did', () => {
    const responder = delegate();
    const other = delegate();
    const answer = makeAnswer(leaf, issuer, {
      responder: other,
      responderId: tagged(2, octets(createHash('sha1').update(responder.keyBits).digest())),
      certificates: [responder, other],
    });
    expect(failureOf(() => verify(answer))).toBe(
      'RevocationUnknown: The signature of the answer does not verify.',
    );
  });
});
