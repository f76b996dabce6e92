import { describe, expect, it } from 'vitest';
import type { RefwardenError } from '../../../src/failures/failure.ts';
import { verifyTimestampToken } from '../../../src/verification/timestamp/verify-timestamp-token.ts';
import type { VerifiedTimestamp } from '../../../src/verification/timestamp/verify-timestamp-token.ts';
import { pkiFixture } from '../../support/pki-fixture.ts';

const verify = (name: string, root: string, message = pkiFixture('timestamps/message')): VerifiedTimestamp =>
  verifyTimestampToken({
    token: pkiFixture(`timestamps/${name}.tst`),
    message,
    roots: [pkiFixture(`timestamps/${root}-root.der`)],
  });

/** When the fixtures were made. */
const made = /^2026-11-2/;

describe('verifyTimestampToken with tokens of real authorities', () => {
  it.each([
    ['openssl-rsa-sha512', 'openssl', 'O=Refwarden, CN=ts-rsa', 2],
    ['openssl-ec-sha384', 'openssl', 'O=Refwarden, CN=ts-ec', 2],
    ['sigstore-memory', 'sigstore-memory', 'O=local, CN=Test TSA Timestamping', 3],
    ['sigstore-rsa-sha512', 'sigstore-rsa-sha512', 'O=Refwarden, CN=sg-tsa', 3],
  ])('accepts %s', (name, root, subject, length) => {
    const { genTimeMs, signerSubject, chain } = verify(name, root);
    expect(new Date(genTimeMs).toISOString()).toMatch(made);
    expect(signerSubject).toBe(subject);
    expect(chain).toHaveLength(length);
  });

  it('reads an accuracy of seconds, millis and micros, and fractions of six digits, rounded outwards', () => {
    const { genTimeMs, accuracyMs } = verify('openssl-ec-sha384', 'openssl');
    expect(Number.isInteger(genTimeMs)).toBe(true);
    expect([1_501, 1_502]).toContain(accuracyMs);
  });

  it.each([
    [
      'openssl-imprint-sha1',
      'PayloadInvalid',
      'The timestamp is over a hash other than SHA-256, SHA-384 and SHA-512.',
    ],
    [
      'openssl-ess-sha1',
      'PayloadInvalid',
      'The timestamp does not parse: it has no signed attribute 1.2.840.113549.1.9.16.2.47.',
    ],
  ])('refuses %s', (name, code, message) => {
    expect(() => verify(name, 'openssl')).toThrow(
      expect.objectContaining({ code, message }) as RefwardenError,
    );
  });

  it('refuses a token of another message', () => {
    expect(() => verify('sigstore-memory', 'sigstore-memory', Buffer.from('another'))).toThrow(
      'The timestamp is over something else than this signature.',
    );
  });

  it('refuses a token of an authority that is not trusted', () => {
    expect(() => verify('sigstore-memory', 'openssl')).toThrow(
      'The certificate of the timestamp authority does not chain to a trusted root',
    );
  });
});
