import { describe, expect, it } from 'vitest';
import { createVerifier } from '../../../src/verification/verifier.ts';
import type { VerificationOutcome } from '../../../src/verification/verification.ts';
import {
  notationRequest,
  notationRevocation,
  notationTarget,
  readNotationCases,
} from '../../support/notation-fixture.ts';
import type { NotationCase } from '../../support/notation-fixture.ts';

const { nowMs, cases } = readNotationCases();
const accepted = cases.filter(({ expected }) => expected === 'accepted');
const refused = cases.filter(({ expected }) => expected !== 'accepted');

function verify(
  fixture: NotationCase,
  change: { readonly nowMs?: number } = {},
): Promise<VerificationOutcome> {
  const verifier = createVerifier({ revocation: notationRevocation(fixture) });
  return verifier.verify(notationRequest(fixture, change.nowMs ?? nowMs));
}

function named(name: string): NotationCase {
  const fixture = cases.find((each) => each.name === name);
  if (fixture === undefined) throw new Error(`no case ${name}`);
  return fixture;
}

/** The number in threats.md of what a refused case tries. */
function threatOf({ name, expected }: NotationCase): string {
  if (expected === 'SubjectMismatch') return 'T15';
  if (expected === 'SignerNotTrusted') return 'T18';
  if (expected === 'SignatureExpired') return 'T25';
  if (expected === 'CertificateRevoked' || expected === 'RevocationUnknown') return 'T34';
  if (/duplicate|two-targets|-case$/.test(name)) return 'T26';
  return 'T12';
}

describe('what the Notary Project signs', () => {
  it('is shown by 60 cases and more, in both formats', () => {
    expect(cases.length).toBeGreaterThanOrEqual(60);
    for (const format of ['jws', 'cose']) {
      const ofFormat = ({ name }: NotationCase) => name.startsWith(`${format}-`);
      expect(accepted.filter(ofFormat).length).toBeGreaterThan(10);
      expect(refused.filter(ofFormat).length).toBeGreaterThan(30);
    }
  });

  it.each(accepted)('$name is evidence: $what', async (fixture) => {
    const { evidence, rejections } = await verify(fixture);
    expect(rejections).toEqual([]);
    expect(evidence).toEqual([
      expect.objectContaining({
        kind: 'signature',
        format: 'NotationSignature',
        issuer: 'acme',
        subject: notationTarget(fixture).digest,
        signer: {
          kind: 'notation',
          subject: expect.stringContaining('O=Acme') as string,
          certificateFingerprint: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as string,
          keyFingerprint: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as string,
        },
      }),
    ]);
  });

  it.each(refused.map((fixture) => ({ threat: threatOf(fixture), ...fixture })))(
    '$threat $name is refused with $expected: $what',
    async (fixture) => {
      const { evidence, rejections } = await verify(fixture);
      expect(evidence).toEqual([]);
      expect(rejections).toMatchObject([
        { code: fixture.expected, message: expect.stringMatching(/^\S.{15,}\.$/s) as string },
      ]);
    },
  );
});

describe('a refusal says what is wrong', () => {
  it.each([
    ['jws-other-root', 'C=US, ST=WA, O=Acme, CN=release lead to none of a ca trust store'],
    ['jws-authority-without-store', 'lead to none of a signingAuthority trust store'],
    [
      'jws-identity-other-name',
      'Signed by C=US, ST=WA, O=Acme, CN=release. Policy trusts acme: x509.subject',
    ],
    ['jws-identity-injected', 'Signed by C=US, ST=WA, O=Other, CN=x\\, O=Acme'],
    ['cose-expired', 'The signature expired 2026-02-01T00:00:00Z'],
    ['jws-certificate-expired', 'it is from 2025-01-01T00:00:00Z to 2026-02-01T00:00:00Z'],
    ['cose-timestamp-absent', 'The signature has no timestamp'],
    ['cose-timestamp-other-signature', 'The timestamp is over something else than this signature'],
    ['jws-timestamp-other-root', 'does not chain to a trusted root'],
    ['jws-timestamp-eku-not-critical', 'does not mark its purpose as critical'],
    ['jws-timestamp-late', 'was not valid at the time of the timestamp'],
    ['jws-timestamp-revoked', 'CN=timestamps was revoked at 2026-02-01'],
    ['cose-signature-tampered', 'does not verify over payload and attributes'],
    ['jws-alg-hmac', 'states the algorithm HS256; the signing key takes PS256'],
    ['jws-general', 'is a general JWS; only flattened JSON is taken'],
    ['jws-duplicate-member', 'has the key "payload" twice'],
    ['cose-plugin', 'asks for a verification plugin of Notation, and plugins are not supported'],
    ['cose-crit-unknown', 'The critical attribute "com.acme.unknown" is not understood'],
    ['jws-crit-without-expiry', 'io.cncf.notary.expiry is not marked critical'],
    ['cose-both-times', 'The scheme notary.x509 excludes io.cncf.notary.authenticSigningTime'],
    ['jws-other-size', 'of 442 bytes; it has 441'],
    [
      'cose-other-media-type',
      'as application/vnd.docker.distribution.manifest.v2+json; it is application/vnd.oci',
    ],
    ['jws-chain-unordered', 'is not issued by the next certificate'],
    ['jws-path-too-long', 'allows 0 authorities below it, and there are 1'],
    ['jws-sha1-leaf', 'is signed by an algorithm that is not taken'],
    ['jws-leaf-eku-any', 'is for anyExtendedKeyUsage'],
    ['jws-leaf-usage-keyCertSign', 'has the key usage keyCertSign'],
    ['jws-rsa-1024', 'may not sign: use RSA of 2048, 3072 or 4096 bits'],
    ['jws-crl-revoked', 'CN=release was revoked at 2026-02-01T00:00:00.000Z (keyCompromise)'],
    ['jws-crl-absent', 'Whether C=US, ST=WA, O=Acme, CN=release is revoked is unknown'],
    ['jws-ocsp-unknown', 'Whether C=US, ST=WA, O=Acme, CN=release is revoked is unknown'],
  ])('%s: %s', async (name, says) => {
    const { rejections } = await verify(named(name));
    expect(rejections.map(({ message }) => message).join()).toContain(says);
  });

  it.each([
    ['jws-expired-permissive', 'SignatureExpired'],
    ['jws-certificate-expired-permissive', 'CertificateInvalid'],
    ['jws-timestamp-absent-permissive', 'TrustedTimeMissing'],
    ['jws-crl-revoked-permissive', 'CertificateRevoked'],
    ['jws-crl-absent-permissive', 'RevocationUnknown'],
  ])('T25 %s counts, and the evidence says that it is tolerated: %s', async (name, code) => {
    const { evidence } = await verify(named(name));
    expect(evidence).toMatchObject([{ tolerated: [{ code }] }]);
  });
});

describe('when it was signed, and until when it counts', () => {
  const signedAtMs = Date.UTC(2026, 0, 15, 12);
  const certificateEndMs = Date.UTC(2099, 11, 31);
  const answerEndMs = Date.UTC(2090, 0, 1);

  it.each([
    ['jws-es256', undefined, certificateEndMs],
    ['cose-signing-authority', signedAtMs, undefined],
    ['cose-authority-expiry-ahead', signedAtMs, certificateEndMs],
    ['cose-timestamped-expired-certificate', signedAtMs, undefined],
    ['jws-timestamp-bad-not-asked', undefined, certificateEndMs],
    ['jws-crl-good', undefined, answerEndMs],
    ['jws-ocsp-good', undefined, answerEndMs],
  ])('%s', async (name, signed, until) => {
    const [evidence] = (await verify(named(name))).evidence;
    expect(evidence?.signedAtMs).toBe(signed);
    expect(evidence?.validUntilMs).toBe(until);
  });

  it('T25 a signature counts until its expiry and not at it', async () => {
    const ahead = named('jws-expiry-ahead');
    expect((await verify(ahead, { nowMs: certificateEndMs - 1 })).evidence).toHaveLength(1);
    expect((await verify(ahead, { nowMs: certificateEndMs })).rejections).toMatchObject([
      { code: 'SignatureExpired', message: 'The signature expired 2099-12-31T00:00:00Z.' },
    ]);
  });

  it('T34 an answer that has run out counts no more', async () => {
    for (const name of ['jws-crl-good', 'jws-ocsp-good']) {
      expect((await verify(named(name), { nowMs: answerEndMs - 1000 })).evidence).toHaveLength(1);
      expect((await verify(named(name), { nowMs: answerEndMs + 1000 })).rejections).toMatchObject([
        { code: 'RevocationUnknown', message: expect.stringContaining('CN=release') as string },
      ]);
    }
  });
});
