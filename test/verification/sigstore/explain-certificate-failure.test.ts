import { generateKeyPairSync } from 'node:crypto';
import type { TransparencyLogEntry } from '@sigstore/bundle';
import { describe, expect, it } from 'vitest';
import { RefwardenError } from '../../../src/failures/failure.ts';
import { explainCertificateFailure } from '../../../src/verification/sigstore/explain-certificate-failure.ts';
import { trustedTimes } from '../../../src/verification/sigstore/trusted-times.ts';
import { SignedTimestamp } from '../../../src/verification/sigstore/signed-timestamp.ts';
import { parseSigningCertificate } from '../../../src/verification/signing-certificate.ts';
import { authority, oidcIssuer, subject } from '../../support/own-sigstore.ts';

const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const certificate = parseSigningCertificate(
  await authority.issue(publicKey, { subject, issuer: oidcIssuer }),
);
const [notBeforeMs, notAfterMs] = [certificate.x509.notBefore, certificate.x509.notAfter].map(Number) as [
  number,
  number,
];
const entryAt = (timeMs: number, isPromised = true) =>
  ({
    integratedTime: String(timeMs / 1000),
    ...(isPromised ? { inclusionPromise: { signedEntryTimestamp: Buffer.alloc(1) } } : {}),
  }) as TransparencyLogEntry;
const stamp = Buffer.from(await authority.timestamp(Buffer.from('signature')));
const stampedMs = SignedTimestamp.parse(stamp).signingTime.getTime();
const dayMs = 86_400_000;

function explain(
  code: 'CertificateInvalid' | 'TrustedTimeMissing' | 'SignatureInvalid',
  material: { logEntries?: TransparencyLogEntry[]; timestamps?: Buffer<ArrayBuffer>[] } = {},
  nowMs = notAfterMs + 3 * dayMs,
): string {
  const failed = new RefwardenError(code, 'It fails.');
  const explained = explainCertificateFailure(
    failed,
    { logEntries: [], timestamps: [], ...material },
    certificate,
    nowMs,
  );
  expect(explained.code).toBe(code);
  return explained.message;
}

describe('explainCertificateFailure', () => {
  it('says when a certificate without a trusted time expired, once it has', () => {
    expect(explain('TrustedTimeMissing')).toMatch(
      /^It fails\. The certificate expired \S+Z \(3 days ago\)\.$/,
    );
    expect(explain('TrustedTimeMissing', {}, notAfterMs)).toBe('It fails.');
    expect(explain('TrustedTimeMissing', {}, notAfterMs + 1)).toContain('expired');
  });

  it('says that it signed after it expired, or before it was valid', () => {
    expect(explain('CertificateInvalid', { logEntries: [entryAt(notAfterMs + dayMs)] })).toMatch(
      /^The signing certificate expired \S+Z \(3 days ago\), and signed \S+Z \(2 days ago\)\.$/,
    );
    expect(explain('CertificateInvalid', { logEntries: [entryAt(notBeforeMs - dayMs)] })).toMatch(
      /^The signing certificate is valid from \S+Z \(.+ ago\), and signed \S+Z \(.+ ago\)\.$/,
    );
  });

  it('says nothing of times within its validity, to the second, nor of those that nobody vouches for', () => {
    for (const entry of [
      entryAt(notBeforeMs),
      entryAt(notAfterMs),
      entryAt(notAfterMs + dayMs, false),
      entryAt(0),
    ]) {
      expect(explain('CertificateInvalid', { logEntries: [entry] })).toBe('It fails.');
    }
    expect(explain('CertificateInvalid')).toBe('It fails.');
  });

  it('reads timestamps too, and gives up on one that does not parse', () => {
    expect(stampedMs).toBeGreaterThanOrEqual(notBeforeMs);
    expect(explain('CertificateInvalid', { timestamps: [stamp] })).toBe('It fails.');
    const late = entryAt(notAfterMs + dayMs);
    expect(explain('CertificateInvalid', { logEntries: [late], timestamps: [stamp] })).toContain(
      'and signed',
    );
    expect(explain('CertificateInvalid', { logEntries: [late], timestamps: [Buffer.from('junk')] })).toBe(
      'It fails.',
    );
  });

  it('leaves other failures as they are', () => {
    expect(explain('SignatureInvalid', { logEntries: [entryAt(notAfterMs + dayMs)] })).toBe('It fails.');
  });
});

describe('trustedTimes', () => {
  it('gives the earliest first, whatever says it', () => {
    const timestamp = SignedTimestamp.parse(stamp);
    const entries = [entryAt(stampedMs + 5000), entryAt(stampedMs - 5000), entryAt(stampedMs + 1000)];
    expect(trustedTimes(entries, [timestamp])).toEqual([
      { timeMs: stampedMs - 5000, source: 'TransparencyLog' },
      { timeMs: stampedMs, source: 'SignedTimestamp' },
      { timeMs: stampedMs + 1000, source: 'TransparencyLog' },
      { timeMs: stampedMs + 5000, source: 'TransparencyLog' },
    ]);
  });
});
