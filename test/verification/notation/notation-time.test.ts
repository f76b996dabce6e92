import { Tagged } from 'cborg';
import { describe, expect, it } from 'vitest';
import { RefwardenError } from '../../../src/failures/failure.ts';
import type { NotationIssuer } from '../../../src/policy/resolved-issuer.ts';
import type { RevocationSource } from '../../../src/verification/revocation/revocation-source.ts';
import type { VerificationOutcome } from '../../../src/verification/verification.ts';
import { createVerifier } from '../../../src/verification/verifier.ts';
import { purposeOid } from '../../../src/verification/x509/extensions.ts';
import { makeAnswer } from '../../support/make-revocation.ts';
import type { AnswerOptions } from '../../support/make-revocation.ts';
import { makeToken } from '../../support/make-token.ts';
import type { TokenOptions } from '../../support/make-token.ts';
import { encodeCbor, makeCose, makeJws } from '../../support/notation-envelopes.ts';
import type { EnvelopeOptions } from '../../support/notation-envelopes.ts';
import { formats, notationIssuer, notationRequest, target } from '../../support/notation-requests.ts';
import type { Format } from '../../support/notation-requests.ts';
import { certify, keyUsage, ocspAt, ofAuthority, pkiNowMs, purpose } from '../../support/test-pki.ts';
import type { TestHolder } from '../../support/test-pki.ts';
import { integer } from '../../support/der-values.ts';

const hour = 3_600_000;
const year = 365 * 24 * hour;
const stampedMs = Date.parse('2026-11-26T11:00:00Z');

const root = certify('root', { extensions: ofAuthority, notAfterMs: pkiNowMs + hour });
const leaf = certify('release', {
  by: root,
  extensions: [keyUsage('digitalSignature')],
  notBeforeMs: pkiNowMs - 2 * hour,
  notAfterMs: pkiNowMs + hour,
});
const looked = certify('release', {
  by: root,
  extensions: [keyUsage('digitalSignature'), ocspAt('http://ocsp.example/signer')],
});
const tsaRoot = certify('TSA root', { extensions: ofAuthority });
const stamping = [keyUsage('digitalSignature'), purpose(true, purposeOid.timeStamping)];
const tsa = certify('TSA', { by: tsaRoot, extensions: stamping });
const lookedTsa = certify('TSA', {
  by: tsaRoot,
  extensions: [...stamping, ocspAt('http://ocsp.example/tsa')],
});

const pemOf = ({ der }: TestHolder): string =>
  `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64')}\n-----END CERTIFICATE-----`;
const ca = { type: 'ca', name: 'inline', certificates: pemOf(root) } as const;
const tsaStore = { type: 'tsa', name: 'inline', certificates: pemOf(tsaRoot) } as const;

interface Case {
  readonly signer?: TestHolder;
  readonly stamp?: Partial<TokenOptions>;
  readonly stampedBy?: TestHolder;
  readonly issuer?: Partial<NotationIssuer>;
  readonly nowMs?: number;
  readonly revocation?: RevocationSource;
  readonly options?: Partial<EnvelopeOptions>;
}

const attribute = 'io.cncf.notary.timestampSignature';

/** An envelope whose signature was timestamped. */
function envelope(format: Format, { signer = leaf, stamp, stampedBy = tsa, options }: Case): Uint8Array {
  const all = { key: signer.key, certificates: [signer.der, root.der], target, ...options };
  const token = (message: Uint8Array): Uint8Array => makeToken(stampedBy, tsaRoot, { message, ...stamp });
  if (format === 'JWS') {
    const jws = makeJws(all);
    const message = Buffer.from(String(jws['signature']), 'base64url');
    const text = Buffer.from(token(message)).toString('base64');
    const header = { ...(jws['header'] as object), ...(stamp === undefined ? {} : { [attribute]: text }) };
    return Buffer.from(JSON.stringify({ ...jws, header }));
  }
  const cose = makeCose(all);
  if (stamp !== undefined) (cose[1] as Map<string, unknown>).set(attribute, Uint8Array.from(token(cose[3])));
  return encodeCbor(new Tagged(18, cose));
}

function verify(format: Format, given: Case): Promise<VerificationOutcome> {
  const { issuer, nowMs = pkiNowMs, revocation } = given;
  const issuers = [
    notationIssuer({ pem: '' }, { trustStores: [ca, tsaStore], trustedIdentities: ['*'], ...issuer }),
  ];
  const verifier = createVerifier(revocation === undefined ? {} : { revocation });
  return verifier.verify({ ...notationRequest(format, envelope(format, given), issuers), nowMs });
}

/** A responder for the certificates that name one. */
function responder(answers: {
  signer?: AnswerOptions;
  tsa?: AnswerOptions;
}): RevocationSource & { asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    ocsp(url) {
      asked.push(url);
      const [subject, issuer, options] = url.endsWith('tsa')
        ? [lookedTsa, tsaRoot, answers.tsa]
        : [looked, root, answers.signer];
      if (options === undefined)
        return Promise.reject(new RefwardenError('RegistryTimeout', 'it did not answer'));
      return Promise.resolve(makeAnswer(subject, issuer, options));
    },
    crl: () => Promise.reject(new RefwardenError('RegistryTimeout', 'it did not answer')),
    confirm: () => undefined,
  };
}

describe.each(Object.keys(formats) as Format[])('the time of a Notation signature in %s', (format) => {
  it('is that of its timestamp, and counts once the certificates have expired', async () => {
    for (const nowMs of [pkiNowMs, pkiNowMs + 10 * year]) {
      const { evidence, rejections } = await verify(format, { stamp: {}, nowMs });
      expect(rejections).toEqual([]);
      expect(evidence).toMatchObject([{ signedAtMs: stampedMs }]);
      expect(evidence[0]?.validUntilMs).toBeUndefined();
    }
  });

  it('is not looked for before it is due', async () => {
    const issuer = { verifyTimestamp: 'afterCertExpiry' } as const;
    const early = await verify(format, { issuer });
    expect(early.evidence).toMatchObject([{ validUntilMs: pkiNowMs + hour }]);
    expect(early.evidence[0]?.signedAtMs).toBeUndefined();
    const nowMs = pkiNowMs + 2 * hour;
    expect((await verify(format, { issuer, nowMs, stamp: {} })).evidence).toMatchObject([
      { signedAtMs: stampedMs },
    ]);
    expect((await verify(format, { issuer, nowMs })).rejections).toMatchObject([
      { code: 'TrustedTimeMissing' },
    ]);
  });

  it.each<[string, Case, string, RegExp]>([
    ['T15 over another signature', { stamp: { message: Buffer.from('other') } }, 'TrustedTimeMissing', /./],
    [
      'by nobody trusted',
      { stamp: {}, issuer: { trustStores: [ca, { ...ca, type: 'tsa' }] } },
      'TrustedTimeMissing',
      /./,
    ],
    ['by the signer itself', { stamp: {}, stampedBy: leaf }, 'TrustedTimeMissing', /./],
    [
      'from before the certificate',
      { stamp: { genTime: '20261126095959Z' } },
      'CertificateInvalid',
      /CN=release was not valid at the time of the timestamp/,
    ],
    [
      'from after it',
      { stamp: { genTime: '20261126130001Z' } },
      'CertificateInvalid',
      /was not valid at the time of the timestamp/,
    ],
    [
      'after its begin, but not with its accuracy',
      { stamp: { genTime: '20261126100001Z', accuracy: [integer(5)] } },
      'CertificateInvalid',
      /CN=release was not valid at the time of the timestamp/,
    ],
    [
      'within it, but not with its accuracy',
      { stamp: { genTime: '20261126125959Z', accuracy: [integer(5)] } },
      'CertificateInvalid',
      /was not valid at the time of the timestamp/,
    ],
  ])('is none with a timestamp %s', async (_, given, code, message) => {
    const { evidence, rejections } = await verify(format, given);
    expect(evidence).toEqual([]);
    expect(rejections).toMatchObject([{ code, message: expect.stringMatching(message) as string }]);
    const lenient = await verify(format, {
      ...given,
      issuer: { ...given.issuer, override: { authenticTimestamp: 'log' } },
    });
    expect(lenient.evidence).toMatchObject([{ tolerated: [{ code }] }]);
    expect(lenient.evidence[0]?.signedAtMs).toBeUndefined();
  });

  it.each(['20261126100000Z', '20261126130000Z'])(
    'takes a timestamp at the very end of the certificate: %s',
    async (genTime) => {
      expect((await verify(format, { stamp: { genTime } })).evidence).toHaveLength(1);
    },
  );

  it('takes an accuracy that stays within the certificates', async () => {
    const { evidence } = await verify(format, { stamp: { accuracy: [integer(5)] } });
    expect(evidence).toMatchObject([{ signedAtMs: stampedMs }]);
  });
});

describe('the revocation of a Notation signer', () => {
  const signer = looked;
  const issuer = { trustStores: [ca] };

  it('is asked for at strict, and bounds how long the evidence counts', async () => {
    const revocation = responder({ signer: { nextUpdateMs: pkiNowMs + hour / 2 } });
    const { evidence } = await verify('JWS', { signer, issuer, revocation });
    expect(revocation.asked).toEqual(['http://ocsp.example/signer']);
    expect(evidence).toHaveLength(1);
    expect(evidence[0]?.validUntilMs).toBeLessThanOrEqual(pkiNowMs + hour / 2);
    expect(evidence[0]?.validUntilMs).toBeGreaterThan(pkiNowMs);
  });

  it('T34 T25 a revoked certificate counts for nothing', async () => {
    const revocation = responder({ signer: { status: {} } });
    const { evidence, rejections } = await verify('JWS', { signer, issuer, revocation });
    expect(evidence).toEqual([]);
    expect(rejections).toMatchObject([
      {
        code: 'CertificateRevoked',
        message: expect.stringMatching(/revoked/) as string,
        signer: 'CN=release',
      },
    ]);
  });

  it('is told at permissive, and not asked for where it is skipped', async () => {
    const revocation = responder({ signer: { status: {} } });
    const permissive = await verify('JWS', {
      signer,
      issuer: { ...issuer, level: 'permissive' },
      revocation,
    });
    expect(permissive.evidence).toMatchObject([{ tolerated: [{ code: 'CertificateRevoked' }] }]);
    const skipping = responder({ signer: { status: {} } });
    const override = { revocation: 'skip' } as const;
    const skipped = await verify('JWS', { signer, issuer: { ...issuer, override }, revocation: skipping });
    expect(skipped.evidence).toHaveLength(1);
    expect(skipped.evidence[0]?.tolerated).toBeUndefined();
    expect(skipping.asked).toEqual([]);
  });

  it('T28 what nobody answers is unknown, and refused at strict', async () => {
    const given = { signer, issuer };
    for (const outcome of [
      await verify('JWS', given),
      await verify('JWS', { ...given, revocation: responder({}) }),
    ]) {
      expect(outcome.evidence).toEqual([]);
      expect(outcome.rejections).toMatchObject([{ code: 'RevocationUnknown' }]);
    }
  });

  it('a revocation that takes effect after the timestamp comes too late', async () => {
    const answer = (invalidFromMs: number) => responder({ signer: { status: { invalidFromMs } } });
    const given = { signer, stamp: {} };
    expect((await verify('JWS', { ...given, revocation: answer(stampedMs + 1000) })).evidence).toHaveLength(
      1,
    );
    expect(
      (await verify('JWS', { ...given, revocation: answer(stampedMs - 1000) })).rejections,
    ).toMatchObject([{ code: 'CertificateRevoked' }]);
    // The accuracy counts against it: it may have been signed as late as that.
    const vague = { ...given, stamp: { accuracy: [integer(5)] } };
    expect(
      (await verify('JWS', { ...vague, revocation: answer(stampedMs + 1000) })).rejections,
    ).toMatchObject([{ code: 'CertificateRevoked' }]);
  });
});

describe('the revocation of a timestamp authority', () => {
  const given = { stamp: {}, stampedBy: lookedTsa };
  it.each([
    ['good', { tsa: {} }, undefined],
    ['revoked', { tsa: { status: {} } }, 'CertificateRevoked'],
    ['unknown', {}, 'RevocationUnknown'],
  ] as const)('%s, also where that of the signer is skipped', async (_, answers, code) => {
    const issuer = { override: { revocation: 'skip' } } as const;
    const { evidence, rejections } = await verify('JWS', {
      ...given,
      issuer,
      revocation: responder(answers),
    });
    if (code === undefined) expect(evidence).toMatchObject([{ signedAtMs: stampedMs }]);
    else expect(rejections).toMatchObject([{ code }]);
  });
});
